package deliver

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/rewrite"
	"superlist/lists/signature"
	"superlist/lists/weblink"
	"superlist/smtp/mx/mxtest"
)

// inMaildirs are the messages that somebody has in the Maildir of a relay that is none.
func inMaildirs(t *testing.T, dir, who string) (messages []string) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, who, "new", "*"))
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(text), "\n") // Return-Path
		messages = append(messages, strings.ReplaceAll(rest, "\n", "\r\n"))
	}
	return messages
}

func fieldsOf(t *testing.T, message string) rewrite.Header {
	t.Helper()
	raw, _, err := rewrite.ReadHeader(strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	return rewrite.Parse(raw)
}

// TestChangedPosts: what members get, what the archive has, and what the log says; with
// the DNS that there is, and that there is not.
func TestChangedPosts(t *testing.T) {
	mail := t.TempDir()
	w := newWorld(t, "maildir:"+mail, "")
	server := mxtest.Serve(t, true, mxtest.New(t, "reject.example.", false, `_dmarc.reject.example. 3600 IN TXT "v=DMARC1; p=" "reject"`), mxtest.New(t, "none.example.", false))
	w.site.Resolver = server.Addr
	l := w.list("dev", "bob@example.net", "dora@example.net digest")
	if err := edit.Set(l, []string{"subject_prefix=[dev {number}]", "footer=The footer of {list}.", "reply_to=list", "post=anyone"}); err != nil {
		t.Fatal(err)
	}
	say := func(from string) string {
		w.message(from, "From: Alice <"+from+">\r\nTo: dev@lists.example.org\r\nSubject: hello\r\nMessage-ID: <1@x>\r\n\r\nHello.\r\n", "dev@lists.example.org")
		w.deliver()
		got := inMaildirs(t, mail, "bob@example.net")
		if len(got) != 1 {
			t.Fatalf("bob has %d", len(got))
		}
		os.RemoveAll(mail + "/bob@example.net")
		return got[0]
	}
	archived := func(n int) string {
		l, _ := lists.Of(w.site).Open(l.Addr)
		f, _, err := l.Posts().Open(n)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		text, _ := io.ReadAll(f)
		return string(text)
	}
	for i, test := range []struct{ from, fail, want string }{
		{"alice@none.example", "", "Alice <alice@none.example>"},
		{"alice@reject.example", "", `"Alice via dev" <dev@lists.example.org>`},
		{"alice@broken.example", "_dmarc.broken.example. TXT", `"Alice via dev" <dev@lists.example.org>`},
	} {
		if test.fail != "" {
			server.Fail(test.fail)
		}
		message := say(test.from)
		h := fieldsOf(t, message)
		if h.Get("From") != test.want || h.Get("Subject") != fmt.Sprintf("[dev %d] hello", i+1) || h.Get("Reply-To") != "dev@lists.example.org" ||
			!strings.HasSuffix(message, "\r\n\r\nHello.\r\nThe footer of dev@lists.example.org.\r\n") {
			t.Errorf("%s: %s", test.from, message)
		}
		kept := archived(i + 1)
		if a := fieldsOf(t, kept); a.Get("From") != "Alice <"+test.from+">" || a.Get("Subject") != "hello" || a.Get("Reply-To") != "" || !strings.HasSuffix(kept, "\r\n\r\nHello.\r\n") {
			t.Errorf("%s: the archive has %s", test.from, kept)
		}
	}
	if log := w.log.String(); strings.Count(log, "author=munged") != 2 || !strings.Contains(log, "p=reject") {
		t.Errorf("%s", log)
	}
}

// TestRejectedByDMARC: what a session could not tell waits for a moderator, and goes under
// the list's name if it goes.
func TestRejectedByDMARC(t *testing.T) {
	w := newWorld(t, "maildir:"+t.TempDir(), "")
	server := mxtest.Serve(t, true, mxtest.New(t, "reject.example.", false, `_dmarc.reject.example. 3600 IN TXT "v=DMARC1; p=reject"`))
	w.site.Resolver = server.Addr
	l := w.list("dev", "bob@example.net")
	if err := edit.Set(l, []string{"dmarc=reject", "post=anyone"}); err != nil {
		t.Fatal(err)
	}
	w.message("alice@reject.example", "From: alice@reject.example\r\nMessage-ID: <1@x>\r\n\r\nHello.\r\n", "dev@lists.example.org")
	w.deliver()
	if why := w.held(l); len(why) != 1 || !strings.Contains(why[0], "reject.example asks for p=reject for mail that fails DMARC") {
		t.Errorf("%q", why)
	}
}

// TestSigned: posts, digests and letters leave signed, and what a stranger writes to the
// owners does not.
func TestSigned(t *testing.T) {
	mail := t.TempDir()
	w := newWorld(t, "maildir:"+mail, "")
	key, err := signature.Generate(signature.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.pem")
	os.WriteFile(file, key, 0o600)
	w.site.DKIM.Domain, w.site.DKIM.Selector, w.site.DKIM.KeyFile = "lists.example.org", "s", file
	signer, err := signerOf(w.site)
	if err != nil {
		t.Fatal(err)
	}
	record, _ := signer.Record()
	w.list("dev", "bob@example.net", "carol@example.net")
	w.message("bob@example.net", "From: bob@example.net\r\nTo: dev@lists.example.org\r\nMessage-ID: <1@x>\r\n\r\nHello. \r\n\r\n", "dev@lists.example.org")
	w.message("eve@example.com", "From: eve@lists.example.org\r\nList-Id: <dev.lists.example.org>\r\nMessage-ID: <2@x>\r\n\r\nHello.\r\n", "dev+owner@lists.example.org")
	w.message("dave@example.com", "From: dave@example.com\r\nTo: dev+subscribe@lists.example.org\r\nMessage-ID: <3@x>\r\n\r\nHello.\r\n", "dev+subscribe@lists.example.org")
	w.deliver()
	for who, want := range map[string]int{"bob@example.net": 1, "carol@example.net": 1, "dave@example.com": 1, "olga@example.org": 0} {
		for _, message := range inMaildirs(t, mail, who) {
			found, err := dkim.VerifyWithOptions(bytes.NewReader([]byte(message)), &dkim.VerifyOptions{LookupTXT: func(string) ([]string, error) { return []string{record}, nil }})
			if err != nil || len(found) != want || want == 1 && found[0].Err != nil {
				t.Errorf("%s: %v %+v\n%s", who, err, found, message)
			}
		}
		if len(inMaildirs(t, mail, who)) != 1 {
			t.Errorf("%s has none", who)
		}
	}
	// Without its key nothing leaves unsigned.
	os.Remove(file)
	if err := w.runner().Run(t.Context()); err == nil || !strings.Contains(err.Error(), "dkim.key_file") {
		t.Errorf("%v", err)
	}
}

// TestRefusedByDMARC: with a resolver that the site names the sender hears it at once.
func TestRefusedByDMARC(t *testing.T) {
	w := newWorld(t, "maildir:"+t.TempDir(), "")
	server := mxtest.Serve(t, true, mxtest.New(t, "reject.example.", false,
		`_dmarc.reject.example. 3600 IN TXT "v=DMARC1; p=reject"`, `_dmarc.none.reject.example. 3600 IN TXT "v=DMARC1; p=none"`), mxtest.New(t, "none.example.", false))
	server.Fail("_dmarc.broken.example. TXT")
	w.site.Resolver = server.Addr
	l := w.list("dev", "bob@example.net")
	if err := edit.Set(l, []string{"dmarc=reject", "post=anyone"}); err != nil {
		t.Fatal(err)
	}
	for from, want := range map[string]string{
		"alice@reject.example":      "550 5.7.1 reject.example asks others to refuse mail in its name that does not come from its own hosts (DMARC, p=reject), and dev@lists.example.org passes on no such posts",
		"alice@mail.reject.example": "550 5.7.1 mail.reject.example asks",
		"alice@none.reject.example": "250 ",
		"alice@none.example":        "250 ",
		"alice@broken.example":      "451 4.4.3 dev@lists.example.org takes no posts of authors whose domain has mail refused (DMARC), and nobody can say now",
	} {
		if got := w.wire(from, "dev@lists.example.org", "From: "+from+"\r\nMessage-ID: <1@x>\r\n\r\nHello.\r\n"); !strings.HasPrefix(got.String(), want) {
			t.Errorf("%s: %s", from, got)
		}
	}
}

// TestPersonal: each member has their own link, in header and footer, in a copy that is
// signed as it is; the archive has none of them; and who is not asked for gets a batch.
func TestPersonal(t *testing.T) {
	mail := t.TempDir()
	w := newWorld(t, "maildir:"+mail, "")
	key, _ := signature.Generate(signature.Ed25519)
	file := filepath.Join(t.TempDir(), "key.pem")
	os.WriteFile(file, key, 0o600)
	w.site.DKIM.Domain, w.site.DKIM.Selector, w.site.DKIM.KeyFile = "lists.example.org", "s", file
	signer, err := signerOf(w.site)
	if err != nil {
		t.Fatal(err)
	}
	record, _ := signer.Record()
	l := w.list("dev", "bob@example.net", "carol@gmail.com", "dora@yahoo.co.jp")
	people := []string{"bob@example.net", "carol@gmail.com", "dora@yahoo.co.jp"}
	post := 0
	say := func(settings ...string) map[string]string {
		t.Helper()
		if err := edit.Set(l, append([]string{"post=anyone", "dmarc=none"}, settings...)); err != nil {
			t.Fatal(err)
		}
		post++
		w.message("alice@example.com", fmt.Sprintf("From: alice@example.com\r\nTo: dev@lists.example.org\r\nSubject: hello\r\nMessage-ID: <%d@x>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8u\r\n", post), "dev@lists.example.org")
		w.deliver()
		got := make(map[string]string)
		for _, who := range people {
			messages := inMaildirs(t, mail, who)
			if len(messages) != 1 {
				t.Fatalf("%s has %d", who, len(messages))
			}
			got[who] = messages[0]
			found, err := dkim.VerifyWithOptions(strings.NewReader(messages[0]), &dkim.VerifyOptions{LookupTXT: func(string) ([]string, error) { return []string{record}, nil }})
			if err != nil || len(found) != 1 || found[0].Err != nil {
				t.Errorf("%s: the signature is not good: %v %+v\n%s", who, err, found, messages[0])
			}
		}
		os.RemoveAll(mail)
		w.wantEmpty()
		return got
	}
	text := func(message string) string {
		_, body, _ := strings.Cut(message, "\r\n\r\n")
		b, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(body, "\r\n", ""))
		if err != nil {
			t.Errorf("%v: %s", err, body)
		}
		return string(b)
	}
	link := func(message string) string {
		value := fieldsOf(t, message).Get("List-Unsubscribe")
		url, _, _ := strings.Cut(strings.TrimPrefix(value, "<"), ">")
		return url
	}
	w.site.UnsubscribeURL = "https://lists.example.org/leave"
	personal := []string{"personal=true", "one_click=off", "subject_prefix=[dev {number}]", "footer=Leave: {unsubscribe}"}
	got := say(personal...)
	for _, who := range people {
		h := fieldsOf(t, got[who])
		url := link(got[who])
		end, ok := strings.CutPrefix(url, "https://lists.example.org/leave/dev@lists.example.org/")
		read, err := weblink.Read(l, weblink.Leave, end, w.now())
		if !ok || err != nil || read.Text != who || strings.Contains(url, "example.com") {
			t.Errorf("%s: %s: %v %v", who, url, read, err)
		}
		if h.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" || h.Double() != "" || !strings.HasPrefix(h.Get("Subject"), "[dev ") {
			t.Errorf("%s: %s", who, got[who])
		}
		if said := text(got[who]); said != "Hello.\r\nLeave: "+url && strings.TrimRight(said, " ") != "Hello.\r\nLeave: "+url {
			t.Errorf("%s: %q, want %s", who, said, url)
		}
	}
	f, _, err := l.Posts().Open(1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if kept, _ := io.ReadAll(f); strings.Contains(string(kept), "leave/") || strings.Contains(string(kept), "One-Click") {
		t.Errorf("the archive has %s", kept)
	}

	got = say("personal=false", "one_click=large", "footer=Leave: {unsubscribe}")
	for _, who := range people {
		own := who != "bob@example.net"
		if strings.HasPrefix(link(got[who]), "https:") != own || text(got[who]) != "Hello.\r\nLeave: dev+unsubscribe@lists.example.org" {
			t.Errorf("%s: %s", who, got[who])
		}
	}
	got = say("personal=false", "one_click=all")
	for _, who := range people {
		if !strings.HasPrefix(link(got[who]), "https:") {
			t.Errorf("%s: %s", who, got[who])
		}
	}
	w.site.UnsubscribeURL, w.site.Web.Requests = "", true
	for who, message := range say("personal=true", "one_click=all", "footer=Leave: {unsubscribe}") {
		if url := link(message); !strings.HasPrefix(url, "https://lists.example.org/dev/u/") {
			t.Errorf("%s: %s", who, url)
		}
	}
	w.site.Web.Requests = false
	got = say("personal=true", "one_click=all", "footer=Leave: {unsubscribe}")
	for _, who := range people {
		want := "Hello.\r\nLeave: dev+unsubscribe-" + strings.Replace(who, "@", "=", 1) + "@lists.example.org"
		if said := strings.TrimRight(text(got[who]), " "); said != want || len(fieldsOf(t, got[who]).All("List-Unsubscribe-Post")) > 0 {
			t.Errorf("%s: %q, want %q", who, said, want)
		}
	}
}

// TestFooterUnclear: a post whose parts cannot be told goes on without a footer, and waits
// for nobody.
func TestFooterUnclear(t *testing.T) {
	mail := t.TempDir()
	w := newWorld(t, "maildir:"+mail, "")
	l := w.list("dev", "bob@example.net")
	if err := edit.Set(l, []string{"post=anyone", "dmarc=none", "footer=at the end", "header_text=on top"}); err != nil {
		t.Fatal(err)
	}
	bodies := map[string]string{
		"two types": "--b\r\nContent-Type: text/plain\r\nContent-Type: text/html\r\n\r\nHello.\r\n--b--\r\n",
		"too many":  strings.Repeat("--b\r\n\r\nHello.\r\n", 20000) + "--b--\r\n",
	}
	for what, body := range bodies {
		w.message("alice@example.com", "From: alice@example.com\r\nMessage-ID: <"+strings.ReplaceAll(what, " ", ".")+"@x>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"+body, "dev@lists.example.org")
		w.deliver()
		got := inMaildirs(t, mail, "bob@example.net")
		if len(got) != 1 || !strings.HasSuffix(got[0], "\r\n\r\n"+body) {
			t.Errorf("%s: bob has %d, and not as it came", what, len(got))
		}
		os.RemoveAll(mail)
		w.wantEmpty()
	}
}

// TestDMARCAsksOnce: however many posts of a domain a run has, it asks for its policy once.
func TestDMARCAsksOnce(t *testing.T) {
	w := newWorld(t, "maildir:"+t.TempDir(), "")
	server := mxtest.Serve(t, true, mxtest.New(t, "reject.example.", false, `_dmarc.reject.example. 3600 IN TXT "v=DMARC1; p=reject"`))
	w.site.Resolver = server.Addr
	w.list("dev", "bob@example.net")
	w.list("news", "bob@example.net")
	for i := range 20 {
		w.message("alice@reject.example", fmt.Sprintf("From: alice%d@reject.example\r\nMessage-ID: <%d@x>\r\n\r\nHello.\r\n", i, i), "dev@lists.example.org", "news@lists.example.org")
	}
	w.deliver()
	n := 0
	for _, q := range server.Asked() {
		if strings.HasPrefix(q, "_dmarc.reject.example. ") {
			n++
		}
	}
	if munged := strings.Count(w.log.String(), "author=munged"); n != 1 || munged != 40 {
		t.Errorf("asked %d times, munged %d: %q", n, munged, server.Asked())
	}
}
