package e2e

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// changers are the functions of os, syscall and unix that change the disk, and
// those that do where they are given one of writeFlags.
var (
	changers = []string{
		"Chmod", "Chown", "Chtimes", "Create", "CreateTemp", "CopyFS", "Lchown", "Link", "Mkdir", "MkdirAll", "MkdirTemp",
		"Remove", "RemoveAll", "Rename", "Symlink", "Truncate", "WriteFile", // os
		"Creat", "Fallocate", "Fchmod", "Fchmodat", "Fchown", "Fchownat", "Fdatasync", "Flock", "Fsync", "Ftruncate", "Futimes", "Futimesat",
		"Linkat", "Lutimes", "Mkdirat", "Mknod", "Mknodat", "Openat2", "Pwrite", "Pwritev", "Pwritev2", "Removexattr", "Renameat", "Renameat2",
		"Rmdir", "Setxattr", "Symlinkat", "Sync", "SyncFileRange", "Syncfs", "Unlink", "Unlinkat", "Utime", "Utimes", "UtimesNano", "UtimesNanoAt", // unix, syscall
	}
	openers    = []string{"OpenFile", "OpenRegular", "Open", "Openat"} // of os, unix, and disk itself
	writeFlags = []string{"O_WRONLY", "O_RDWR", "O_CREAT", "O_CREATE", "O_TRUNC", "O_APPEND", "O_TMPFILE"}
)

// mayChange are the files outside disk that change something by themselves, and why
// that is none of its business.
var mayChange = map[string]string{
	"milter/body.go":           "a body that is too large for memory has no name, and is gone with the process",
	"lists/maillog/maillog.go": "the log says that the disk is full, and must not ask it for leave",
	"lists/entry/entry.go":     "/dev/null",
	"lists/entry/handover.go":  "what one program leaves the next is in memory",
	"cmd/superlist/man.go":     "it makes the man pages, and is in no program that is installed",
}

// TestDiskAlone: no package but disk changes files, or Disk.Fault would not see it,
// and no fault loop. What it cannot see is a *os.File that somebody writes to; so
// nobody opens one for it.
func TestDiskAlone(t *testing.T) {
	seen := 0
	found := map[string][]string{}
	err := filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel("..", path)
		if e.IsDir() {
			if base := e.Name(); name == "e2e" || name == "contrib" || name == "queue/disk" || base == "testdata" || strings.HasSuffix(base, "test") || name != "." && base[0] == '.' {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		seen++
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for at, what := range diskCalls(file) {
			found[name] = append(found[name], fmt.Sprintf("%s:%d: %s", name, set.Position(at).Line, what))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, calls := range found {
		if mayChange[name] == "" {
			t.Errorf("this changes the disk past package disk:\n%s", strings.Join(calls, "\n"))
		}
	}
	for name := range mayChange {
		if found[name] == nil {
			t.Errorf("%s changes nothing any more: take it out of mayChange", name)
		}
	}
	if seen < 100 {
		t.Errorf("only %d files were read", seen)
	}
}

// diskCalls are the calls in a file that change the disk.
func diskCalls(file *ast.File) map[token.Pos]string {
	names := map[string]string{} // of the packages
	for _, imp := range file.Imports {
		path := strings.Trim(imp.Path.Value, `"`)
		name := path[strings.LastIndexByte(path, '/')+1:]
		if imp.Name != nil {
			name = imp.Name.Name
		}
		names[name] = path
	}
	calls := map[token.Pos]string{}
	// A function that is not called here may be handed on.
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && changesDisk(names[x.Name]) && slices.Contains(changers, n.Sel.Name) {
				calls[n.Pos()] = x.Name + "." + n.Sel.Name
			}
		case *ast.CallExpr:
			f, ok := n.Fun.(*ast.SelectorExpr)
			if !ok {
				break
			}
			x, _ := f.X.(*ast.Ident)
			ours := x != nil && (changesDisk(names[x.Name]) || names[x.Name] == "superlist/queue/disk")
			if ours && slices.Contains(openers, f.Sel.Name) && writes(n.Args) {
				calls[n.Pos()] = x.Name + "." + f.Sel.Name + " for writing"
			}
		}
		return true
	})
	return calls
}

func changesDisk(pkg string) bool {
	return slices.Contains([]string{"os", "syscall", "golang.org/x/sys/unix"}, pkg)
}

// writes says that flags are among these arguments that open a file for writing.
func writes(args []ast.Expr) (yes bool) {
	for _, arg := range args {
		ast.Inspect(arg, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && slices.Contains(writeFlags, s.Sel.Name) {
				yes = true
			}
			return true
		})
	}
	return yes
}
