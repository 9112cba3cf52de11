package deliver

import (
	"os"
	"testing"

	"superlist/lists/edit"
	"superlist/queue"
	"superlist/smtp"
)

// TestProved: a message's word for it that its author has logged in counts where
// somebody can log in, and nowhere else.
func TestProved(t *testing.T) {
	for name, test := range map[string]struct {
		config string
		milter bool
		posts  bool
	}{
		"nobody can":                    {},
		"a proxy says it":               {config: "\n\nxclient = true\ntrusted = [\"192.0.2.1\"]\n", posts: true},
		"accounts":                      {config: "\n\ntls = true\nssl_server_crt = \"/c\"\nssl_server_key = \"/k\"\n[auth]\npasswd_file = \"/dev/null\"\n", posts: true},
		"the server behind a milter":    {milter: true, posts: true},
		"a milter, and nobody ever did": {},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeRelay{Extensions: "PIPELINING"}
			w := newWorld(t, f.Start(t), test.config)
			l := w.list("dev", "a@example.com")
			if err := edit.Set(l, []string{"post=moderators", "moderators=mod@example.com"}); err != nil {
				t.Fatal(err)
			}
			if test.milter {
				if err := w.site.Spool().MarkLogins(); err != nil {
					t.Fatal(err)
				}
			}
			w.inbound(queue.Head{Proved: []smtp.Path{path("mod@example.com")}}, "mod@example.com", "From: mod@example.com\r\nTo: dev@lists.example.org\r\nMessage-ID: <1@example.com>\r\nDate: Mon, 30 Nov 2026 11:00:00 +0000\r\n\r\nx\r\n", dev)
			w.deliver()
			if test.posts {
				w.wantTaken(f, "a@example.com")
			} else {
				w.wantTaken(f, "mod@example.com") // who is asked
			}
		})
	}
}

// TestLoginsMarkStays: it is not forgotten with what was taken.
func TestLoginsMarkStays(t *testing.T) {
	w := newWorld(t, "maildir:"+t.TempDir(), "")
	s := w.site.Spool()
	if s.HasLogins() || w.site.Proves() {
		t.Error("without a mark")
	}
	if err := s.MarkLogins(); err != nil {
		t.Fatal(err)
	}
	long := w.now().AddDate(-1, 0, 0)
	os.Chtimes(w.site.QueueDir+"/taken/logins", long, long)
	if err := s.Take([]byte{0, 1}, "1.x", w.now()); err != nil {
		t.Fatal(err)
	}
	if !s.HasLogins() || !w.site.Proves() {
		t.Error("it is gone")
	}
}
