package heldpost

import (
	"errors"
	"strings"
	"testing"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/listtest"
	"superlist/queue"
	"superlist/smtp"
)

// TestHeld: a post that is held is found by its name alone, in its own list, and a name
// that cannot be one leads to no file.
func TestHeld(t *testing.T) {
	s := listtest.Site(t, map[string]string{
		"lists/lists.example.org/dev/list.toml":   "",
		"lists/lists.example.org/other/list.toml": "",
		"lists/lists.example.org/third/held/x":    "",
	})
	open := func(name string) *lists.List {
		l, err := lists.Of(s).Open(smtp.Path{Local: name, Domain: "lists.example.org"})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	dev, other := open("dev"), open("other")
	name := Name("1.x.0")
	if !IsName(name) || IsName(name+"0") || IsName("../../../x.x") {
		t.Errorf("%s is a name: %t", name, IsName(name))
	}
	spool := Spool(s, dev)
	if err := spool.InitBox(queue.Held); err != nil {
		t.Fatal(err)
	}
	w, err := spool.Create(queue.Head{ID: name, Why: "hold: eve@example.net is not a member"})
	if err == nil {
		err = errors.Join(w.Rcpt(smtp.Rcpt{Path: dev.Addr}), w.Commit(queue.Held))
	}
	if err != nil {
		t.Fatal(err)
	}
	m, err := Find(s, dev, name)
	if err != nil || m.ID != name {
		t.Fatal(m, err)
	}
	m.Close()
	if err := Has(dev, name); err != nil {
		t.Error(err)
	}
	for l, names := range map[*lists.List][]string{dev: {Name("another"), "../../dev/held/" + name, "", strings.ToUpper(name)}, other: {name}} {
		for _, name := range names {
			if err := Has(l, name); !errors.Is(err, confirmation.ReplyDecided) {
				t.Errorf("%s, %q: %v", l.Addr, name, err)
			}
			if _, err := Find(s, l, name); !errors.Is(err, confirmation.ReplyDecided) {
				t.Errorf("%s, %q: %v", l.Addr, name, err)
			}
		}
	}
	var holding []string
	if err := Each(s, func(l *lists.List) { holding = append(holding, l.Addr.Local) }); err != nil || len(holding) != 1 || holding[0] != "dev" {
		t.Errorf("%q, %v", holding, err)
	}
}
