package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write docs/openapi.json anew")

type object = map[string]any

// schemas describes the types that are sent and answered, by their names.
type schemas map[string]any

// of is the schema of a type; structs are put by their name.
func (s schemas) of(t reflect.Type) object {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case t.Kind() == reflect.Pointer:
		return s.of(t.Elem())
	case t.Kind() == reflect.Slice:
		return object{"type": "array", "items": s.of(t.Elem())}
	case t.Kind() == reflect.Map:
		return object{"type": "object", "additionalProperties": s.of(t.Elem())}
	case t.Kind() == reflect.Struct && t.Name() != "":
		if s[t.Name()] == nil {
			s[t.Name()] = object{} // while it is described
			s[t.Name()] = s.fields(t)
		}
		return object{"$ref": "#/components/schemas/" + t.Name()}
	case t.Kind() == reflect.Struct:
		return s.fields(t)
	}
	return map[reflect.Kind]object{
		reflect.String: {"type": "string"}, reflect.Bool: {"type": "boolean"}, reflect.Int: {"type": "integer"}, reflect.Int64: {"type": "integer"},
	}[t.Kind()]
}

func (s schemas) fields(t reflect.Type) object {
	properties, required := object{}, []string{}
	for _, f := range reflect.VisibleFields(t) {
		name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || name == "-" || name == "" {
			continue
		}
		p := s.of(f.Type)
		if doc := f.Tag.Get("doc"); doc != "" && p["$ref"] == nil {
			p["description"] = doc
		}
		properties[name] = p
		if rest == "" {
			required = append(required, name)
		}
	}
	return object{"type": "object", "properties": properties, "required": required}
}

// queries explains what may stand behind ?.
var queries = map[string]string{
	"search": "a part of an address, or a pattern such as *@example.net", "after": "what next said in the answer before", "limit": "how many items, at most 1000; 100 unless it is said",
	"dry_run": "true: only say what would change", "since": "a day, such as 2026-11-30",
}

// dries are the answers where only is said what would change.
var dries = map[string]any{"lists/{list}/settings": ChangeList{}, "lists/{list}/removals": PostList{}}

// describe is the description of all routes: OpenAPI 3.1.
func describe() object {
	s, paths := schemas{}, object{}
	content := func(kind string, v any) object {
		return object{kind: object{"schema": s.of(reflect.TypeOf(v))}}
	}
	problem := object{"description": "It cannot be done; detail says what to do.", "content": content("application/problem+json", Problem{})}
	for _, r := range routes() {
		path := "/api/v1/" + r.Path
		if paths[path] == nil {
			paths[path] = object{}
		}
		parameters := []any{}
		for rest := r.Path; strings.Contains(rest, "{"); {
			_, rest, _ = strings.Cut(rest, "{")
			name, _, _ := strings.Cut(rest, "}")
			parameters = append(parameters, object{"name": name, "in": "path", "required": true, "schema": object{"type": "string"}})
		}
		for _, q := range r.Query {
			parameters = append(parameters, object{"name": q, "in": "query", "description": queries[q], "schema": object{"type": "string"}})
		}
		responses := object{"default": problem}
		if r.Method == "GET" {
			responses["200"] = object{"description": "What was asked for.", "content": content("application/json", r.Out)}
		} else {
			responses["202"] = object{"description": "The request is in the queue; Location says where its outcome is.", "content": content("application/json", r.Out)}
			done := content("application/json", r.Out)
			if dry := dries[r.Path]; dry != nil {
				done = object{"application/json": object{"schema": object{"oneOf": []any{s.of(reflect.TypeOf(r.Out)), s.of(reflect.TypeOf(dry))}}}}
			}
			responses["200"] = object{"description": "It was carried out or refused within the time of Prefer: wait, or dry_run was asked for.", "content": done}
			parameters = append(parameters, object{"name": "Prefer", "in": "header", "description": "wait=10: answer once it is done, within so many seconds, at most 20", "schema": object{"type": "string"}})
		}
		scopes := []string{}
		if r.Scope != "" {
			scopes = append(scopes, string(r.Scope))
		}
		operation := object{"summary": r.Doc, "parameters": parameters, "responses": responses, "security": []any{object{"token": scopes}}}
		if r.In != nil {
			operation["requestBody"] = object{"required": true, "content": content("application/json", r.In)}
		}
		paths[path].(object)[strings.ToLower(r.Method)] = operation
	}
	return object{
		"openapi":    "3.1.0",
		"info":       object{"title": "superlist", "version": "1", "description": "Mailing lists for programs; docs/api.md explains it."},
		"paths":      paths,
		"components": object{"schemas": s, "securitySchemes": object{"token": object{"type": "http", "scheme": "bearer", "description": "superlist token new"}}},
	}
}

// TestOpenAPI: the description in docs has each path, method and field that there is, and
// no others. With -update it is written anew.
func TestOpenAPI(t *testing.T) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(describe()); err != nil {
		t.Fatal(err)
	}
	const file = "../../../docs/openapi.json"
	if *update {
		os.WriteFile(file, b.Bytes(), 0o644)
	}
	text, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(text, b.Bytes()) {
		t.Errorf("docs/openapi.json is not what the program does; go test ./lists/web/api -update writes it: %v", err)
	}
	page, err := os.ReadFile("../../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range routes() {
		if line := "`" + r.Method + " " + r.Path + "`"; !strings.Contains(string(page), line) {
			t.Errorf("docs/api.md does not have %s", line)
		}
	}
}
