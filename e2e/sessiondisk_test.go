package e2e

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// diskWriters are the calls of queue/disk that change the disk.
var diskWriters = []string{
	"Append", "Begin", "Beside", "Change", "CommitAll", "Create", "Cut", "Derive", "Discard", "DiscardAll", "Exchange", "Keep", "Lock", "MakeDir", "MakeDirs",
	"MakePath", "MakePublicDirs", "MakeTemp", "Move", "MoveNew", "Place", "Publish", "PublishFrom", "Remove", "RemoveAll", "RemoveDurably", "Rename", "Replace", "ReplaceAs", "Rewrite",
	"Share", "SyncAll", "SyncDir", "Touch", "TryLock",
}

// diskReaders are the others of its functions.
var diskReaders = []string{"File", "Fresh", "OpenFile", "OpenRegular", "ReadRegular", "Stale", "Unique", "Within"}

// sessionsMayWrite are the functions that a session of mail has in it and that call one of
// diskWriters, and why it may. A package stands for all of its functions.
var sessionsMayWrite = map[string]string{
	"superlist/queue":                       "messages are put into the spool",
	"superlist/lists/account.openFailures":  "failed log-ins are counted",
	"superlist/lists/sandbox.Box.makeSpool": "their file has to be there before the sandbox names it",
}

// TestSessionsWriteOnlyTheSpool: of all calls that change the disk a session of mail links
// those of the queue, and those that it is meant to do. The linker says which functions are
// in a program, and the source which of them call queue/disk. For that lists is built without
// inlining, which takes seven seconds once, and two seconds whenever nothing has changed.
// Of superlist-web this cannot be told: for html/template the linker keeps every method.
func TestSessionsWriteOnlyTheSpool(t *testing.T) {
	calls := writersIn(t)
	if len(calls) < 50 {
		t.Fatalf("only %d functions write", len(calls))
	}
	dir, used := t.TempDir(), map[string]bool{}
	programs := []string{"superlist-session", "superlist-milter", "superlist-policy"} // superlist-spawn has nothing that superlist-session has not
	args := []string{"build", "-gcflags=superlist/lists/...=-l", "-o", dir + "/"}     // what is inlined has no symbol
	for _, program := range programs {
		args = append(args, "../cmd/"+program)
	}
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, program := range programs {
		out, err := exec.Command("go", "tool", "nm", filepath.Join(dir, program)).Output()
		if err != nil {
			t.Fatal(err)
		}
		linked := 0
		for line := range strings.Lines(string(out)) {
			words := strings.Fields(line)
			name := functionOf(words[len(words)-1])
			if !strings.HasPrefix(name, "superlist/") {
				continue
			}
			linked++
			if calls[name] == "" {
				continue
			}
			pkg := name[:strings.LastIndexByte(name, '/')+1]
			rest, _, _ := strings.Cut(name[len(pkg):], ".")
			pkg += rest
			switch {
			case sessionsMayWrite[pkg] != "":
				used[pkg] = true
			case sessionsMayWrite[name] != "":
				used[name] = true
			default:
				t.Errorf("%s has %s, which calls disk's %s", program, name, calls[name])
			}
		}
		if linked < 500 {
			t.Errorf("%s has only %d functions of ours", program, linked)
		}
	}
	for name := range sessionsMayWrite {
		if !used[name] {
			t.Errorf("no session has %s any more: take it out of sessionsMayWrite", name)
		}
	}
}

// functionOf is the function of a symbol: that in which a closure stands, and a method
// without the mark of a pointer.
func functionOf(symbol string) string {
	dir := symbol[:strings.LastIndexByte(symbol, '/')+1]
	words := strings.Split(strings.NewReplacer("(*", "", ")", "").Replace(symbol[len(dir):]), ".")
	for i, word := range words {
		if i > 1 && (strings.HasPrefix(word, "func") || strings.HasPrefix(word, "deferwrap") || strings.HasPrefix(word, "gowrap")) {
			words = words[:i]
			break
		}
	}
	return dir + strings.Join(words, ".")
}

// writersIn are the functions of ours that call one of diskWriters, as the linker calls
// them, and what they call.
func writersIn(t *testing.T) map[string]string {
	t.Helper()
	calls := make(map[string]string)
	for _, line := range goList(t, "-f", `{{.ImportPath}} {{.Dir}} {{join .GoFiles " "}}`, "./...") {
		words := strings.Fields(line)
		pkg, dir := words[0], words[1]
		for _, name := range words[2:] {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range file.Decls {
				f, ok := d.(*ast.FuncDecl)
				if !ok {
					continue
				}
				function := pkg + "." + receiver(f) + f.Name.Name
				if pkg == "superlist/queue/disk" {
					if f.Name.IsExported() && (receiver(f) == "" || receiver(f) == "Disk.") && !slices.Contains(diskWriters, f.Name.Name) && !slices.Contains(diskReaders, f.Name.Name) {
						t.Errorf("%s is neither in diskWriters nor in diskReaders", function)
					}
					continue
				}
				ast.Inspect(f, func(n ast.Node) bool {
					if s, ok := n.(*ast.SelectorExpr); ok && slices.Contains(diskWriters, s.Sel.Name) && ofDisk(s.X) {
						calls[function] = s.Sel.Name
					}
					return true
				})
			}
		}
	}
	return calls
}

// receiver is the type of a method, with a dot.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	kind := f.Recv.List[0].Type
	if p, ok := kind.(*ast.StarExpr); ok {
		kind = p.X
	}
	if name, ok := kind.(*ast.Ident); ok {
		return name.Name + "."
	}
	return ""
}

// ofDisk reports whether a call is of package disk or of a *disk.Disk, which all have
// under these names.
func ofDisk(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.SelectorExpr:
		return x.Sel.Name == "Disk" || x.Sel.Name == "disk"
	case *ast.Ident:
		return x.Name == "disk" || x.Name == "d"
	}
	return false
}
