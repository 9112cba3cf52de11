package smtp

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLimitsStandTogether: whoever looks for a limit finds it in limits.go.
func TestLimitsStandTogether(t *testing.T) {
	limit := regexp.MustCompile(`^[mM]ax[A-Z]|Timeout$|Window$|Rate$`)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			decl, ok := n.(*ast.GenDecl)
			if !ok || decl.Tok != token.CONST {
				return true
			}
			for _, spec := range decl.Specs {
				for _, ident := range spec.(*ast.ValueSpec).Names {
					if !limit.MatchString(ident.Name) {
						continue
					}
					if found++; name != "limits.go" {
						t.Errorf("%s: %s belongs into limits.go", fset.Position(ident.Pos()), ident.Name)
					}
				}
			}
			return true
		})
	}
	if found < 40 {
		t.Errorf("%d limits, want at least 40", found)
	}
}
