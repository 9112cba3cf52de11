package smtp

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// withoutCode are the replies that have no enhanced code: RFC 2034, 3 and 4, and
// what looks like a greeting.
var withoutCode = map[int]bool{220: true, 250: true, 334: true, 354: true}

// TestEveryReplyHasItsCode reads every Reply that is written down anywhere in
// the program: its enhanced code is of the class of its code.
func TestEveryReplyHasItsCode(t *testing.T) {
	seen := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok || !isReply(lit.Type, file.Name.Name) {
				return true
			}
			code, enhanced := replyFields(lit)
			if code == 0 { // no constant, or the zero Reply
				return true
			}
			seen++
			if !goodCode(code, enhanced) {
				t.Errorf("%v: %d %q", set.Position(lit.Pos()), code, enhanced)
			}
			return true
		})
		return nil
	})
	if err != nil || seen < 100 {
		t.Errorf("%d replies were seen, %v", seen, err)
	}
}

func isReply(e ast.Expr, pkg string) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "Reply" && pkg == "smtp"
	case *ast.SelectorExpr:
		x, ok := e.X.(*ast.Ident)
		return ok && x.Name == "smtp" && e.Sel.Name == "Reply"
	}
	return false
}

// replyFields are code and enhanced code of a literal; "*" is one that is no
// constant.
func replyFields(lit *ast.CompositeLit) (code int, enhanced string) {
	for i, e := range lit.Elts {
		name := ""
		if i < 3 {
			name = [...]string{"Code", "Enhanced", "Text"}[i]
		}
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			name, e = kv.Key.(*ast.Ident).Name, kv.Value
		}
		value := "*"
		if b, ok := e.(*ast.BasicLit); ok {
			value = strings.Trim(b.Value, `"`)
		}
		switch name {
		case "Code":
			code, _ = strconv.Atoi(value)
		case "Enhanced":
			enhanced = value
		}
	}
	return code, enhanced
}

func goodCode(code int, enhanced string) bool {
	switch enhanced {
	case "*":
		return true
	case "":
		return withoutCode[code]
	}
	got, rest := splitEnhanced(code, enhanced+" x")
	return got == enhanced && rest == "x" && code/100 != 3
}
