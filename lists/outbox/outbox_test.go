package outbox_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/listtest"
	"superlist/lists/maillog"
	"superlist/lists/outbox"
	"superlist/queue"
	"superlist/smtp"
)

// testOutbox is the outbox of a site with the list dev, whose language is German, and
// whose member bob reads English.
func testOutbox(t *testing.T) (*outbox.Outbox, *lists.List, *bytes.Buffer) {
	t.Helper()
	s := listtest.Site(t, map[string]string{
		"lists/lists.example.org/dev/list.toml": "language = \"de\"\n",
		"lists/lists.example.org/dev/members":   "bob@example.net lang=en\n",
	})
	l, err := lists.Of(s).Open(path("dev@lists.example.org"))
	if err != nil {
		t.Fatal(err)
	}
	log, _ := maillog.Open("none", "info", "test")
	said := new(bytes.Buffer)
	log.Also(said)
	return &outbox.Outbox{Host: s.Hostname, Spool: s.Spool(), Log: log}, l, said
}

func path(s string) smtp.Path { return listtest.Path(s) }

// text is an outbound message, as it stands in the spool.
func text(t *testing.T, o *outbox.Outbox, id string) string {
	t.Helper()
	m, err := o.Spool.Open(queue.Outbound, id)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	b := make([]byte, m.Size)
	m.Content().ReadAt(b, 0)
	return string(b)
}

// TestWriteOnce: a letter that is in the spool is not written again, and the others are.
func TestWriteOnce(t *testing.T) {
	o, l, said := testOutbox(t)
	letter := func(id string) outbox.Draft {
		return outbox.Draft{ID: id, Text: "help", To: []smtp.Path{path("eve@example.com")}, At: time.Now(), Words: map[string]string{"address": "eve@example.com"}}
	}
	if err := o.Write(l, letter("m.0-notice")); err != nil {
		t.Fatal(err)
	}
	before := text(t, o, "m.0-notice")
	if err := o.Write(l, letter("m.0-notice"), letter("m.0")); err != nil {
		t.Fatal(err)
	}
	if text(t, o, "m.0-notice") != before || text(t, o, "m.0") == "" {
		t.Error("the letter that was there has changed, or the other one is missing")
	}
	if n := strings.Count(said.String(), "letter id="); n != 2 {
		t.Errorf("%d letters are in the log, want 2:\n%s", n, said)
	}
}

// TestLanguage: a member reads a letter in their own language, everybody else in the
// list's.
func TestLanguage(t *testing.T) {
	o, l, _ := testOutbox(t)
	for i, c := range []struct {
		to   []string
		lang string
		want string
	}{
		{[]string{"eve@example.com"}, "", "de"}, {[]string{"bob@example.net"}, "", "en"}, {[]string{"BOB@EXAMPLE.NET"}, "", "en"},
		{[]string{"bob@example.net", "eve@example.com"}, "", "de"}, {[]string{"eve@example.com"}, "fr", "fr"}, {[]string{"bob@example.net"}, "ja", "ja"},
	} {
		n := outbox.Draft{ID: fmt.Sprint("x", i), Text: "help", Lang: c.lang, At: time.Now()}
		for _, to := range c.to {
			n.To = append(n.To, path(to))
		}
		if err := o.Write(l, n); err != nil {
			t.Fatal(err)
		}
		if got := text(t, o, n.ID); !strings.Contains(got, "\r\nContent-Language: "+c.want+"\r\n") {
			t.Errorf("%v, %q: not in %s:\n%s", c.to, c.lang, c.want, got)
		}
	}
}

// TestToEach: everybody has a letter of their own, and the one that says that all are
// there comes last.
func TestToEach(t *testing.T) {
	to := []smtp.Path{path("a@example.com"), path("b@example.com"), path("c@example.com")}
	letters, err := outbox.ToEach(to, "m.0", func(to smtp.Path, id string) (outbox.Draft, error) {
		return outbox.Draft{ID: id, To: []smtp.Path{to}}, nil
	})
	var got []string
	for _, n := range letters {
		got = append(got, n.ID+" "+n.To[0].Address())
	}
	if want := "m.0-to3 c@example.com, m.0-to2 b@example.com, m.0 a@example.com"; strings.Join(got, ", ") != want || err != nil {
		t.Errorf("%s, %v; want %s", strings.Join(got, ", "), err, want)
	}
	if letters, err := outbox.ToEach(nil, "m.0", nil); len(letters) > 0 || err != nil {
		t.Errorf("to nobody: %v, %v", letters, err)
	}
	if _, err := outbox.ToEach(to, "m.0", func(to smtp.Path, _ string) (n outbox.Draft, err error) {
		if to == path("b@example.com") {
			err = fs.ErrPermission
		}
		return n, err
	}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("with one that cannot be made: %v", err)
	}
}
