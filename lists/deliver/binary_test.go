package deliver

import (
	"encoding/base64"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"superlist/lists/entry"
	"superlist/queue"
	"superlist/smtp"
)

const (
	binaryHeader = "From: alice@example.com\r\nSubject: no lines\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: binary\r\n"
	binaryBody   = "\n\r\x00\r\n.\r\n\r\n\r\n..\xff\n. last"
)

// serve answers one connection with a session, and says what came of it.
func serve(t *testing.T, s *smtp.Session) (address string, done chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	done = make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			defer c.Close()
			err = s.Serve(c)
		}
		done <- err
	}()
	return l.Addr().String(), done
}

// sendBinary hands a message to a site as a client does, by BDAT.
func (w *world) sendBinary(message string) {
	w.t.Helper()
	session := entry.Session(w.site, nil)
	session.Log = nil
	ours, theirs := net.Pipe()
	done := make(chan error, 1)
	go func() {
		defer theirs.Close()
		done <- session.Serve(theirs)
	}()
	c := &smtp.Client{Hostname: "client.example"}
	if err := c.Start(ours); err != nil {
		w.t.Fatal(err)
	}
	out := c.Send(&smtp.Transaction{
		From: path("alice@example.com"), To: []smtp.Rcpt{{Path: path(dev)}}, Body: smtp.BinaryMIME,
		Size: int64(len(message)), Message: strings.NewReader(message),
	})
	if out[0].Code != 250 {
		w.t.Fatalf("%v", out)
	}
	c.Quit()
	io.Copy(io.Discard, ours) // the server says goodbye
	if err := <-done; err != nil {
		w.t.Error(err)
	}
}

// TestBinaryMIME: what has no lines comes in by our session and leaves by our
// client, to our session again, byte by byte, by SMTP and by LMTP, to all together
// and one by one; also where it takes several chunks.
func TestBinaryMIME(t *testing.T) {
	for _, prefix := range []string{"", "lmtp:"} {
		for name, body := range map[string]string{
			"small": binaryBody,
			"large": strings.Repeat(binaryBody, 30000),
			"even":  strings.Repeat("\n", 512<<10),
			"none":  "",
		} {
			t.Run(prefix+name, func(t *testing.T) {
				t.Parallel()
				backend := new(collector)
				address, done := serve(t, &smtp.Session{Hostname: "relay.example.org", Backend: backend, BinaryMIME: true})
				w := newWorld(t, prefix+address, "connections = 1\n\nbinarymime = true")
				w.list("dev", five...)
				w.sendBinary(binaryHeader + "\r\n" + body)
				w.deliver()
				w.wantEmpty()
				if err := <-done; err != nil {
					t.Error(err)
				}
				if len(backend.got) != len(five) {
					t.Fatalf("%d messages", len(backend.got))
				}
				for i, d := range backend.got {
					if d.To != five[i] || !strings.HasSuffix(d.Message, binaryHeader+"\r\n"+body) || !strings.Contains(d.Message, "\r\nList-Id: ") {
						t.Errorf("%s got %d bytes, %.600q", d.To, len(d.Message), d.Message)
					}
				}
			})
		}
	}
}

// TestBinaryMIMENowhere: a relay that does not take it never sees it, and the
// operator reads why.
func TestBinaryMIMENowhere(t *testing.T) {
	for _, extensions := range []string{"PIPELINING XVERP 8BITMIME CHUNKING", "XVERP BINARYMIME", ""} {
		f := &fakeRelay{Extensions: extensions}
		w := newWorld(t, f.Start(t), "\n\nbinarymime = true")
		w.list("dev", five[:2]...)
		w.sendBinary(binaryHeader + "\r\n" + binaryBody)
		w.deliver()
		w.wantTaken(f)
		w.want(queue.Failed, "F<"+five[0]+"> F<"+five[1]+">: <"+five[1]+"> 554 5.6.1 the message is BINARYMIME, and the next server does not support it")
	}
}

// TestBinaryMIMEMaildir: a Maildir has it as it is.
func TestBinaryMIMEMaildir(t *testing.T) {
	out := t.TempDir()
	w := newWorld(t, "maildir:"+out, "\n\nbinarymime = true")
	w.list("dev", five[0])
	w.sendBinary(binaryHeader + "\r\n" + binaryBody)
	w.deliver()
	w.wantEmpty()
	files, _ := filepath.Glob(filepath.Join(out, five[0], "new", "*"))
	if len(files) != 1 {
		t.Fatalf("%q", files)
	}
	if text, _ := os.ReadFile(files[0]); !strings.HasPrefix(string(text), "Return-Path: <dev+") || !strings.HasSuffix(string(text), binaryHeader+"\r\n"+binaryBody) {
		t.Errorf("%q", text)
	}
}

// TestBinaryMIMEHeld: moderators can read it at any relay, since their letter has
// it in base64 and is no BINARYMIME itself.
func TestBinaryMIMEHeld(t *testing.T) {
	w, l, person := newPeople(t, "nonmembers=hold", "moderators=mona@example.org")
	w.site.BinaryMIME = true
	mona := person("mona@example.org")
	w.sendBinary(binaryHeader + "\r\n" + strings.Repeat(binaryBody, 1000))
	w.deliver()
	if got := w.held(l); len(got) != 1 {
		t.Errorf("held: %q", got)
	}
	text := readAll(t, mona.letter("To decide: no lines (dev@lists.example.org)"))
	_, rest, _ := strings.Cut(text, "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n")
	_, rest, _ = strings.Cut(rest, "\r\n\r\n")
	encoded, _, _ := strings.Cut(rest, "\r\n--")
	post, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || !strings.HasSuffix(string(post), binaryHeader+"\r\n"+strings.Repeat(binaryBody, 1000)) {
		t.Errorf("%v: %.900q", err, text)
	}
	for line := range strings.SplitSeq(text, "\r\n") {
		if len(line) > 76+2 && strings.HasPrefix(encoded, line[:76]) {
			t.Errorf("a line of %d", len(line))
		}
	}
	w.wantEmpty()
}
