package deliver

import (
	"slices"
	"strings"
	"testing"

	"superlist/lists"
	"superlist/queue"
	"superlist/smtp"
)

// utf8Post puts a post into the spool that came with SMTPUTF8.
func (w *world) utf8Post(from, content string, to ...string) {
	w.t.Helper()
	m, err := w.site.Spool().Create(queue.Head{Arrived: w.now(), Client: "test", From: path(from), UTF8: true})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, address := range to {
		if err := m.Rcpt(smtp.Rcpt{Path: path(address)}); err != nil {
			w.t.Fatal(err)
		}
	}
	m.Write([]byte(content))
	if err := m.Commit(queue.Inbound); err != nil {
		w.t.Fatal(err)
	}
}

const (
	plainHeader = "From: a@example.com\r\nSubject: plain\r\n\r\nä\r\n"
	utf8Header  = "From: jürg@bücher.example\r\nSubject: ä\r\n\r\nx\r\n"
)

// TestUTF8 sends by relays that take SMTPUTF8 and by one that does not. What does
// not need it goes everywhere, whatever the client said; a member whose address
// needs it is no trouble to the others.
func TestUTF8(t *testing.T) {
	ascii, all := []string{"a@example.com", "b@example.com"}, []string{"a@example.com", "b@example.com", "jürg@bücher.example", "用户@例え.テスト"}
	for name, test := range map[string]struct {
		extensions, content string
		want                []string
		utf8                int // MAIL commands that say so
	}{
		"plain, taken":          {"PIPELINING XVERP SMTPUTF8", plainHeader, all, 1},
		"plain, not taken":      {"PIPELINING XVERP", plainHeader, ascii, 0},
		"plain, one by one":     {"PIPELINING SMTPUTF8", plainHeader, all, 2},
		"header, taken":         {"PIPELINING XVERP SMTPUTF8", utf8Header, all, 2},
		"header, one by one":    {"PIPELINING SMTPUTF8", utf8Header, all, 4},
		"header, not taken":     {"PIPELINING XVERP", utf8Header, nil, 0},
		"plain, none, personal": {"PIPELINING", plainHeader, ascii, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fakeRelay{Extensions: test.extensions}
			w := newWorld(t, f.Start(t), "")
			w.list("dev", all...)
			w.utf8Post("a@example.com", test.content, dev)
			w.deliver()
			w.wantTaken(f, test.want...)
			said := 0
			for _, mail := range f.Commands {
				if strings.Contains(mail, " SMTPUTF8") {
					said++
				}
			}
			if said != test.utf8 {
				t.Errorf("%q", f.Commands)
			}
			if len(test.want) == len(all) {
				w.wantEmpty()
				return
			}
			failed := w.spool(queue.Failed)
			if len(failed) != 1 || !strings.Contains(failed[0], "F<jürg@bücher.example> F<用户@例え.テスト>") || !strings.Contains(failed[0], "553 5.6.7 ") {
				t.Errorf("failed has %q", failed)
			}
		})
	}
}

// TestUTF8ReturnPath: the report on a member beyond ASCII says who it is.
func TestUTF8ReturnPath(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING SMTPUTF8"}
	w := newWorld(t, f.Start(t), "")
	w.list("dev", "jürg@bücher.example")
	w.utf8Post("a@example.com", plainHeader, dev)
	w.deliver()
	got := f.Taken()
	if len(got) != 1 {
		t.Fatalf("%v", got)
	}
	d, err := lists.Of(w.site).Resolve(path(got[0].From))
	if err != nil || d.Member.Key() != path("jürg@bücher.example").Key() {
		t.Errorf("%+v, %v", d, err)
	}
	if !slices.Contains(strings.Split(got[0].Message, "\r\n"), "ä") {
		t.Errorf("%q", got[0].Message)
	}
}
