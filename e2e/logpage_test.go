package e2e

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"superlist/lists/maillog"
)

// A logCall is a function that writes a line of the log: which of its arguments are the
// event and the format of its fields, and what it adds to that. -1: there is none.
type logCall struct {
	event, format int
	more          string
}

// logCalls are those that there are, by their names: of package maillog, of people, and of
// the operator's command.
var logCalls = map[string]logCall{
	"Printf":        {-1, 1, ""},
	"log":           {0, 1, " id= list= by="},
	"logEach":       {0, -1, " member= members="},
	"logFor":        {1, 3, " list= by="},
	"logged":        {2, 4, " list= by="},
	"logChange":     {1, 3, " list= by="},
	"loggedMembers": {2, -1, " member= members= list= by="},
}

// literal is what of an expression stands in the source: of a + b the literals.
func literal(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(e.Value)
		return text
	case *ast.BinaryExpr:
		return literal(e.X) + literal(e.Y)
	}
	return ""
}

var fieldInSource = regexp.MustCompile(`(?:^|[^a-z-])([a-z-]+)=(?:%|$|"|[a-z])`)

// logged are the events that the source writes with their fields, as far as they stand in
// the calls themselves, and all fields that it could write.
func logged(t *testing.T) (events map[string][]string, fields map[string]bool) {
	events, fields = map[string][]string{}, map[string]bool{}
	set := token.NewFileSet()
	for _, dir := range []string{"../lists", "../cmd", "../smtp"} {
		must(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(set, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BasicLit:
					for _, m := range fieldInSource.FindAllStringSubmatch(literal(n), -1) {
						fields[m[1]] = true
					}
				case *ast.KeyValueExpr: // smtp.Event{What: "accepted"}
					if key, ok := n.Key.(*ast.Ident); ok && key.Name == "What" && literal(n.Value) != "" && (strings.HasPrefix(path, "../smtp/") || strings.HasPrefix(path, "../cmd/superlist-")) {
						events[literal(n.Value)] = append(events[literal(n.Value)], "client")
					}
				case *ast.CallExpr:
					name := ""
					switch f := n.Fun.(type) {
					case *ast.SelectorExpr:
						name = f.Sel.Name
					case *ast.Ident:
						name = f.Name
					}
					if (name == "add" || name == "quote") && path == "../smtp/event.go" {
						fields[literal(n.Args[0])] = true
					}
					if c, ok := logCalls[name]; ok {
						text := c.text(n)
						entry := maillog.Parse(text)
						if entry.Event == "" || !strings.Contains(text, "=") {
							break
						}
						event := strings.TrimSuffix(entry.Event, ":")
						for _, f := range entry.Fields {
							events[event] = append(events[event], f.Key)
						}
					}
				}
				return true
			})
			return nil
		}))
	}
	return events, fields
}

// text is the line that a call writes, as far as it stands in the source.
func (c logCall) text(call *ast.CallExpr) string {
	part := func(i int) string {
		if i < 0 || i >= len(call.Args) {
			return ""
		}
		return literal(call.Args[i])
	}
	if c.event < 0 { // Printf of a log and not of package fmt
		level := ""
		switch at := call.Args[0].(type) {
		case *ast.CallExpr: // that says which level
			level = "Info"
		case *ast.SelectorExpr:
			level = at.Sel.Name
		case *ast.Ident: // in maillog itself
			level = at.Name
		}
		if !slices.Contains([]string{"Err", "Warning", "Info", "Debug"}, level) {
			return ""
		}
		return part(c.format)
	}
	if part(c.event) == "" {
		return ""
	}
	return part(c.event) + " " + part(c.format) + c.more
}

// TestLogPage holds superlist-log(5) against the source: each event is there with its
// fields, each field is explained, and nothing is explained that nobody writes.
func TestLogPage(t *testing.T) {
	page, err := os.ReadFile("../docs/man/superlist-log.5")
	must(t, err)
	text := strings.ReplaceAll(string(page), `\-`, "-")
	for _, program := range []string{"superlist-spawn", "superlist-session", "superlist-milter", "superlist-policy"} {
		if _, events, _ := strings.Cut(text, "\n.SS Events\n"); !strings.Contains(events, program) {
			t.Errorf("the page does not say what %s writes", program)
		}
	}
	events, fields := logged(t)
	if len(events) < 40 || len(fields) < 50 {
		t.Fatalf("%d events and %d fields in the source", len(events), len(fields))
	}
	explained := map[string]bool{}
	_, keys, _ := strings.Cut(text, "\n.SS Fields\n")
	keys, _, _ = strings.Cut(keys, "\n.SH ")
	for _, m := range regexp.MustCompile(`(?m)^\.B(?:R)? ([a-z-]+)(?: ,)?$`).FindAllStringSubmatch(keys, -1) {
		explained[m[1]] = true
	}
	documented := map[string][]string{}
	_, list, _ := strings.Cut(text, "\n.SS Events\n")
	list, _, _ = strings.Cut(list, "\n.SS Fields\n")
	for _, m := range regexp.MustCompile(`(?m)^\.TP\n\.B (.+)\n(?s:.*?)^\.br\n\.I (.+)$`).FindAllStringSubmatch(list, -1) {
		documented[strings.Trim(m[1], `"`)] = strings.Fields(m[2])
	}
	for _, event := range slices.Sorted(maps.Keys(events)) {
		if documented[event] == nil {
			t.Errorf("%s is not in the page, with %q", event, events[event])
			continue
		}
		for _, field := range events[event] {
			if !slices.Contains(documented[event], field) {
				t.Errorf("%s: the page does not have %s", event, field)
			}
		}
	}
	for event, with := range documented {
		if events[event] == nil {
			t.Errorf("%s is in the page, and nobody writes it", event)
		}
		for _, field := range with {
			if !fields[field] {
				t.Errorf("%s: nobody writes %s", event, field)
			}
			if !explained[field] {
				t.Errorf("%s: %s is not explained", event, field)
			}
		}
	}
	for field := range explained {
		if !slices.ContainsFunc(slices.Collect(maps.Values(documented)), func(with []string) bool { return slices.Contains(with, field) }) {
			t.Errorf("%s is explained, and no event has it", field)
		}
	}
}
