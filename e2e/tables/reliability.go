package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A torture is what e2e/torture has found last.
type torture struct {
	Date, Machine, Version, Command string
	Parts                           []struct {
		Part, What       string
		Tried, Of, Twice int
		Faults           []struct{}
		Notes            []string
		Skipped          string
		Seconds          float64
	}
}

func readTorture(name string) (t torture, err error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &t)
	}
	return t, err
}

func tortureTable(t torture) string {
	if len(t.Parts) == 0 {
		return "It has not run yet.\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "`%s`, %s; %s; superlist %s.\n\n", t.Command, t.Date, t.Machine, t.Version)
	b.WriteString("| | what | tried | of | twice | wrong | seconds |\n|---|---|---|---|---|---|---|\n")
	for _, p := range t.Parts {
		what := p.What
		if p.Skipped != "" {
			what = "not run: " + p.Skipped
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", p.Part, strings.ReplaceAll(what, "|", "/"),
			strings.Join([]string{count(p.Tried), count(p.Of), count(p.Twice), count(len(p.Faults)), number(p.Seconds)}, " | "))
	}
	b.WriteString("\n")
	for _, p := range t.Parts {
		if len(p.Notes) > 0 {
			fmt.Fprintf(&b, "- %s: %s.\n", p.Part, strings.Join(p.Notes, ". "))
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func count(n int) string { return number(float64(n)) }

// A loop is a test that makes each call fail, or kills a process at each.
type loop struct {
	pkg, test, what string
	killed          bool
}

// makers are the functions that such tests call, and whether they kill.
var makers = map[string]bool{"disktest.Each": false, "disktest.Kill": true, "killPoints": true, "killCalls": true}

// loops finds them in the tests.
func loops(top string) (found []loop, err error) {
	err = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != top && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(top, filepath.Dir(path))
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(f.Name.Name, "Test") {
				continue
			}
			if killed, ok := makes(f); ok {
				found = append(found, loop{pkg: "./" + filepath.ToSlash(dir), test: f.Name.Name, what: firstSentence(f), killed: killed})
			}
		}
		return err
	})
	slices.SortFunc(found, func(a, b loop) int { return strings.Compare(a.pkg+" "+a.test, b.pkg+" "+b.test) })
	return found, err
}

// makes reports whether a test has such a loop.
func makes(f *ast.FuncDecl) (killed, ok bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		call, is := n.(*ast.CallExpr)
		if !is {
			return true
		}
		name := ""
		switch fun := call.Fun.(type) {
		case *ast.Ident:
			name = fun.Name
		case *ast.SelectorExpr:
			if x, is := fun.X.(*ast.Ident); is {
				name = x.Name + "." + fun.Sel.Name
			}
		}
		if kills, is := makers[name]; is {
			killed, ok = kills, true
		}
		return true
	})
	return killed, ok
}

// firstSentence is what the comment of a test says first, without its name.
func firstSentence(f *ast.FuncDecl) string {
	text := strings.Join(strings.Fields(f.Doc.Text()), " ")
	text = strings.TrimLeft(strings.TrimPrefix(text, f.Name.Name), ": ")
	if i := strings.Index(text, ". "); i >= 0 {
		text = text[:i]
	}
	return strings.ReplaceAll(strings.TrimSuffix(text, "."), "|", "/")
}

func loopTable(loops []loop) string {
	var b strings.Builder
	for _, killed := range []bool{true, false} {
		b.WriteString(map[bool]string{true: "The process is killed:\n\n", false: "\nThe call fails:\n\n"}[killed])
		b.WriteString("| in | the test | and its comment |\n|---|---|---|\n")
		for _, l := range loops {
			if l.killed == killed {
				fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", l.pkg, l.test, l.what)
			}
		}
	}
	return b.String()
}
