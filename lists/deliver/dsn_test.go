package deliver

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/intake"
	"superlist/lists/members"
	"superlist/queue"
	"superlist/queue/disk"
	"superlist/smtp"
)

// wish puts a post into the spool with what its sender wants to hear.
func (w *world) wish(h queue.Head, content string, to ...smtp.Rcpt) {
	w.t.Helper()
	h.Arrived, h.Client = w.now(), "test"
	m, err := w.site.Spool().Create(h)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, rcpt := range to {
		if err := m.Rcpt(rcpt); err != nil {
			w.t.Fatal(err)
		}
	}
	m.Write([]byte(content))
	if err := m.Commit(queue.Inbound); err != nil {
		w.t.Fatal(err)
	}
}

// A parsed report: its header, the text, the fields for programs, what is
// returned, and of what kind that is.
type parsed struct {
	header                           mail.Header
	text, status, returned, returnOf string
}

// parseReport takes a report apart as others do, and holds what must be so with
// each: RFC 3461, 6; RFC 3464, 2; RFC 3834, 3.
func parseReport(t *testing.T, message string) (p parsed) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" {
		t.Fatalf("%s, %v", kind, err)
	}
	if m.Header.Get("Auto-Submitted") != "auto-replied" || m.Header.Get("Message-ID") == "" || m.Header.Get("Date") == "" {
		t.Errorf("%v", m.Header)
	}
	for line := range strings.Lines(message) {
		if !strings.HasSuffix(line, "\r\n") || len(line) > 1000 {
			t.Errorf("the line %q", line)
		}
	}
	p.header = m.Header
	r := multipart.NewReader(m.Body, params["boundary"])
	var parts, kinds []string
	for {
		part, err := r.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		parts, kinds = append(parts, string(text)), append(kinds, part.Header.Get("Content-Type"))
	}
	if len(parts) != 3 || kinds[0] != "text/plain; charset=utf-8" || kinds[1] != "message/"+params["report-type"] {
		t.Fatalf("%q", kinds)
	}
	p.text, p.status, p.returned, p.returnOf = parts[0], parts[1], parts[2], kinds[2]
	return p
}

// reports are those that the relay took for the sender.
func (w *world) reports(f *fakeRelay, to string) (all []parsed) {
	w.t.Helper()
	for _, d := range f.Taken() {
		if d.To == to {
			if d.From != "" {
				w.t.Errorf("a report from %s", d.From)
			}
			all = append(all, parseReport(w.t, d.Message))
		}
	}
	return all
}

// TestReportDelivered: who asks for it hears once that the list has the post, and
// the members' copies ask for nothing on his behalf.
func TestReportDelivered(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING 8BITMIME XVERP DSN"}
	w := newWorld(t, f.Start(t), "")
	w.list("dev", "a@example.com", "poster@example.com nomail")
	w.list("news", "b@example.com")
	w.wish(queue.Head{From: path("poster@example.com"), EnvID: "QQ+2B1", Ret: "FULL", Body: "8BITMIME"}, original+"\r\n"+originalBody,
		smtp.Rcpt{Path: path("DEV@lists.example.org"), Notify: smtp.NotifySuccess | smtp.NotifyFailure, ORcpt: "rfc822;builders+40old.example"},
		smtp.Rcpt{Path: path(dev), Notify: smtp.NotifySuccess}, // the same again
		smtp.Rcpt{Path: path("news@lists.example.org"), Notify: smtp.NotifyFailure | smtp.NotifyDelay})
	w.deliver()
	w.wantEmpty()
	w.wantTaken(f, "a@example.com", "b@example.com", "poster@example.com")
	p := w.reports(f, "poster@example.com")[0]
	for _, want := range []string{
		"Reporting-MTA: dns; lists.example.org\r\n", "Original-Envelope-Id: QQ+1\r\n", "Arrival-Date: ", "\r\n\r\nOriginal-Recipient: rfc822; builders@old.example\r\n",
		"Final-Recipient: rfc822; DEV@lists.example.org\r\n", "Action: delivered\r\n", "Status: 2.0.0\r\n",
	} {
		if !strings.Contains(p.status, want) {
			t.Errorf("no %q in\n%s", want, p.status)
		}
	}
	// RFC 3461, 4.3: RET=FULL is about failures.
	if p.returnOf != "text/rfc822-headers" || p.returned != original {
		t.Errorf("%s:\n%q", p.returnOf, p.returned)
	}
	if p.header.Get("To") != "<poster@example.com>" || p.header.Get("From") != "<dev+owner@lists.example.org>" || !strings.Contains(p.text, "\r\n    dev@lists.example.org\r\n") {
		t.Errorf("%v\n%s", p.header, p.text)
	}
	for _, mail := range f.Commands {
		if strings.Contains(mail, "ENVID") || strings.Contains(mail, "NOTIFY") || strings.Contains(mail, "RET=FULL") {
			t.Errorf("%s", mail)
		}
	}
}

// TestReportNotWanted: no report where nobody asked for one, where there is
// nobody to send it to, and where it is switched off.
func TestReportNotWanted(t *testing.T) {
	for name, test := range map[string]struct {
		from   string
		notify smtp.Notify
		config string
	}{
		"nothing said": {"poster@example.com", 0, ""},
		"never":        {"poster@example.com", smtp.NotifyNever, ""},
		"failure only": {"poster@example.com", smtp.NotifyFailure | smtp.NotifyDelay, ""},
		"off":          {"poster@example.com", smtp.NotifySuccess, "\n\ndsn = false\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fakeRelay{Extensions: "PIPELINING"}
			w := newWorld(t, f.Start(t), test.config)
			w.list("dev", "a@example.com", "poster@example.com nomail")
			w.wish(queue.Head{From: path(test.from)}, original, smtp.Rcpt{Path: path(dev), Notify: test.notify})
			w.deliver()
			w.wantEmpty()
			w.wantTaken(f, "a@example.com")
		})
	}
	f := &fakeRelay{Extensions: "PIPELINING"}
	w := newWorld(t, f.Start(t), "")
	l := w.list("dev", "a@example.com")
	back, err := l.BounceAddress(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	w.wish(queue.Head{}, original, smtp.Rcpt{Path: back, Notify: smtp.NotifySuccess})
	w.deliver()
	w.wantEmpty()
	w.wantTaken(f)
}

// TestReportFailed: who asks for it hears why the list has not got the post, and
// gets it back where he asked for that; the operator keeps it.
func TestReportFailed(t *testing.T) {
	content := original + "\r\n" + originalBody
	for ret, want := range map[string]struct{ kind, text string }{
		"FULL": {"message/rfc822", content},
		"HDRS": {"text/rfc822-headers", original},
		"":     {"text/rfc822-headers", original},
	} {
		f := &fakeRelay{Extensions: "PIPELINING 8BITMIME"}
		w := newWorld(t, f.Start(t), "")
		w.wish(queue.Head{From: path("poster@example.com"), Ret: ret, Body: "8BITMIME"}, content,
			smtp.Rcpt{Path: path(dev), Notify: smtp.NotifyFailure},
			smtp.Rcpt{Path: path("nosuch@lists.example.org"), Notify: smtp.NotifyFailure})
		closed := w.list("dev", "a@example.com", "poster@example.com nomail")
		if err := edit.Set(closed, []string{"post=nobody"}); err != nil {
			t.Fatal(err)
		}
		w.deliver()
		w.wantTaken(f, "poster@example.com")
		w.want(queue.Failed, "F<dev@lists.example.org> F<nosuch@lists.example.org>")
		p := w.reports(f, "poster@example.com")[0]
		if p.returnOf != want.kind || p.returned != want.text {
			t.Errorf("RET=%s: %s:\n%q", ret, p.returnOf, p.returned)
		}
		for _, want := range []string{"Action: failed\r\n", "Status: 5.7.1\r\n", "Diagnostic-Code: smtp; 550 5.7.1 "} {
			if !strings.Contains(p.status, want) {
				t.Errorf("no %q in\n%s", want, p.status)
			}
		}
		if !strings.Contains(p.text, "550 5.7.1 ") || !strings.Contains(p.text, "    dev+owner@lists.example.org\r\n") || p.header.Get("From") != "<dev+owner@lists.example.org>" {
			t.Errorf("%v\n%s", p.header, p.text)
		}
	}
}

// TestReportGivenUp: a post that this host could not work on for days. What was
// wrong here is for the log and not for the sender.
func TestReportGivenUp(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING"}
	w := newWorld(t, f.Start(t), "")
	l := w.list("dev", "a@example.com", "poster@example.com nomail")
	os.Remove(l.Dir + "/key")
	if err := os.Mkdir(l.Dir+"/key", 0o700); err != nil {
		t.Fatal(err)
	}
	w.wish(queue.Head{From: path("poster@example.com")}, original, smtp.Rcpt{Path: path(dev), Notify: smtp.NotifyFailure})
	for range 50 {
		w.deliver()
		w.later += 4 * time.Hour
	}
	w.wantTaken(f, "poster@example.com")
	w.want(queue.Failed, "F<dev@lists.example.org>: given up after")
	p := w.reports(f, "poster@example.com")[0]
	if !strings.Contains(p.status, "Status: 5.4.7\r\n") || strings.Contains(p.text+p.status, "/key") {
		t.Errorf("%s\n%s", p.text, p.status)
	}
}

// TestReportToNobody: whatever a file in the spool asks for, the list's people
// alone hear of their posts, and of what is not a list, or cannot be read, nobody.
func TestReportToNobody(t *testing.T) {
	const all = smtp.NotifySuccess | smtp.NotifyFailure
	for name, test := range map[string]struct {
		to, from string
		spoil    func(*lists.List) error
	}{
		"stranger":     {to: dev, from: "victim@else.example"},
		"no list":      {to: "nosuch@lists.example.org", from: "alice@example.com"},
		"other domain": {to: "someone@else.example", from: "alice@example.com"},
		"gone member":  {to: dev, from: "alice@example.com", spoil: func(l *lists.List) error { return os.WriteFile(l.Dir+"/members", []byte("a@example.com\n"), 0o600) }},
		"broken list":  {to: dev, from: "alice@example.com", spoil: func(l *lists.List) error { return os.WriteFile(l.ConfigFile(), []byte("post = 7\n"), 0o600) }},
		"command":      {to: "dev+help@lists.example.org", from: "alice@example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeRelay{Extensions: "PIPELINING"}
			w := newWorld(t, f.Start(t), "")
			l := w.list("dev", "a@example.com", "alice@example.com nomail")
			w.wish(queue.Head{From: path(test.from), Ret: "FULL"}, original, smtp.Rcpt{Path: path(test.to), Notify: all})
			if test.spoil != nil {
				if err := test.spoil(l); err != nil {
					t.Fatal(err)
				}
			}
			for range 50 {
				w.deliver()
				w.later += 4 * time.Hour
			}
			for _, d := range f.Taken() {
				if d.To == test.from && strings.Contains(d.Message, "multipart/report") {
					t.Errorf("a report:\n%s", d.Message)
				}
			}
		})
	}
}

// TestReportBeyondASCII: RFC 6533.
func TestReportBeyondASCII(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING 8BITMIME SMTPUTF8"}
	w := newWorld(t, f.Start(t), "")
	w.list("dev", "a@example.com", "jürg@bücher.example nomail")
	w.wish(queue.Head{From: path("jürg@bücher.example"), UTF8: true}, utf8Header,
		smtp.Rcpt{Path: path(dev), Notify: smtp.NotifySuccess, ORcpt: "utf-8;dév@lists.example.org"})
	w.deliver()
	all := w.reports(f, "jürg@bücher.example")
	if len(all) != 1 {
		t.Fatalf("%d reports", len(all))
	}
	want := "Original-Recipient: utf-8; dév@lists.example.org\r\nFinal-Recipient: rfc822; dev@lists.example.org\r\n"
	if !strings.Contains(all[0].status, want) || all[0].returnOf != "message/global-headers" {
		t.Errorf("%s\n%s", all[0].returnOf, all[0].status)
	}
	for _, mail := range f.Commands {
		if strings.HasPrefix(mail, "MAIL FROM:<>") && !strings.Contains(mail, " SMTPUTF8") {
			t.Errorf("%s", mail)
		}
	}
}

// TestReportHostile: what a sender may choose cannot make a header of its own.
func TestReportHostile(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING"}
	w := newWorld(t, f.Start(t), "")
	l := w.list("dev", "a@example.com")
	in := &intake.Intake{Site: w.site, Spool: w.site.Spool()}
	s := &smtp.Session{Hostname: "h", Backend: in, DSN: true}
	var out strings.Builder
	say := "EHLO x\r\nMAIL FROM:<\"a\\\" Bcc: c\"@example.com> ENVID=" + strings.Repeat("+22", 33) + "\r\n" +
		"RCPT TO:<dev@lists.example.org> NOTIFY=SUCCESS ORCPT=rfc822;" + strings.Repeat("x", smtp.MaxORcpt-len("rfc822;")) + "\r\n" +
		"DATA\r\nFrom: a@example.com\r\n--=_x: y\r\n\r\nx\r\n.\r\nQUIT\r\n"
	err := edit.Members(l, func(set members.Set) error {
		set.Add(members.Member{Path: smtp.Path{Local: `a" Bcc: c`, Domain: "example.com"}}.With(members.NoPosts))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Serve(struct {
		io.Reader
		io.Writer
	}{strings.NewReader(say), &out})
	if !strings.Contains(out.String(), "250 2.0.0 queued") {
		t.Fatal(out.String())
	}
	w.deliver()
	all := w.reports(f, `"a\" Bcc: c"@example.com`)
	if len(all) != 1 || all[0].header.Get("Bcc") != "" || all[0].header.Get("To") != `<"a\" Bcc: c"@example.com>` ||
		!strings.Contains(all[0].status, "Original-Envelope-Id: "+strings.Repeat(`"`, 33)+"\r\n") {
		t.Errorf("%+v", all)
	}
}

// TestReportFails: a report that cannot be written holds the post up, and is
// written with the next attempt, once.
func TestReportFails(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING"}
	w := newWorld(t, f.Start(t), "")
	w.list("dev", "a@example.com", "poster@example.com nomail")
	w.wish(queue.Head{From: path("poster@example.com")}, original, smtp.Rcpt{Path: path(dev), Notify: smtp.NotifySuccess})
	broken := errors.New("broken")
	r := w.runner()
	r.Spool.Disk = &disk.Disk{Fault: serial(func(call, path string) error {
		if call == "rename" && strings.HasSuffix(path, "-delivered") {
			return fmt.Errorf("%s: %w", path, broken)
		}
		return nil
	})}
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.wantTaken(f)
	w.later += time.Hour
	w.deliver()
	w.wantEmpty()
	w.wantTaken(f, "a@example.com", "poster@example.com")
}

// TestReportNotOfHeld: whose post is held has not reached the list.
func TestReportNotOfHeld(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING"}
	w := newWorld(t, f.Start(t), "")
	l := w.list("dev", "alice@example.com")
	if err := edit.Set(l, []string{"moderated=true"}); err != nil {
		t.Fatal(err)
	}
	w.wish(queue.Head{From: path("alice@example.com")}, original+"\r\n", smtp.Rcpt{Path: path(dev), Notify: smtp.NotifySuccess})
	w.deliver()
	w.wantTaken(f, "olga@example.org", "otto@example.org") // who are asked
}
