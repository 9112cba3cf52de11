package parts

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"superlist/lists/rewrite"
)

// python says of each message on its standard input which parts it sees, by the parser
// that a great many mail programs and filters are built on.
const python = `
import email, json, struct, sys
while True:
    size = sys.stdin.buffer.read(4)
    if len(size) < 4: break
    parts = []
    for p in email.message_from_bytes(sys.stdin.buffer.read(struct.unpack('>I', size)[0])).walk():
        try: name = p.get_filename() or ''
        except Exception: name = ''
        parts.append([p.get_content_type(), name.encode('utf-8', 'replace').decode()])
    print(json.dumps(parts), flush=True)
`

// pieces are what messages are made of below: lines that say where a part begins and what
// it is, as they should be and as they come.
var pieces = []string{
	"Content-Type: multipart/mixed; boundary=b\r\n", "Content-Type: multipart/mixed; boundary=\"b\"\r\n", "Content-Type: multipart/alternative;\r\n boundary=bb\r\n",
	"Content-Type: multipart/mixed; boundary=\"b b\"\r\n", "Content-Type: multipart/mixed; boundary=b; boundary=bb\r\n", "Content-Type: multipart/digest; boundary=b\r\n",
	"content-type:multipart/mixed;boundary=b\r\n", "Content-Type: multipart/mixed (comment); boundary=b (comment)\r\n", "Content-Type: multipart/mixed; boundary*=us-ascii''b\r\n",
	"Content-Type: multipart/mixed; boundary*0=b; boundary*1=b\r\n", "Content-Type: multipart/mixed\r\n", "Content-Type: multipart/mixed; boundary=\"\"\r\n",
	"Content-Type: text/plain\r\n", "Content-Type: text/html; charset=utf-8\r\n", "Content-Type: application/x-msdownload; name=a.exe\r\n", "Content-Type: message/rfc822\r\n",
	"Content-Type: application/x-msdownload; name=\"a\\\".exe\"\r\n", "Content-Type: image/png\r\nContent-Type: application/x-msdownload\r\n", "Content-Type: text\r\n",
	"Content-Type: application / pdf\r\n", "Content-Type: application/pdf;;; name=x.pdf\r\n", "Content-Type :application/pdf\r\n", "Content-Type: \r\n application/pdf\r\n",
	"Content-Disposition: attachment; filename=a.exe\r\n", "Content-Disposition: attachment; filename*=utf-8''a%2eexe\r\n", "Content-Disposition: attachment; filename*0=a; filename*1=.exe\r\n",
	"Content-Disposition: attachment; filename=\"a b;c.exe\"\r\n", "Content-Disposition: inline; filename==?utf-8?q?a.exe?=\r\n", "Content-Transfer-Encoding: base64\r\n", "Content-Transfer-Encoding: quoted-printable\r\n",
	"Subject: x\r\n", "From: a@example.com\r\n", "not a field\r\n", " continued\r\n", "\r\n", "\r\n", "\r\n", "text\r\n", "text\n", "a\rb\r\n",
	"--b\r\n", "--b\r\n", "--b\r\n", "--bb\r\n", "--b b\r\n", "--b--\r\n", "--bb--\r\n", "--b \t\r\n", "--b--x\r\n", "--bx\r\n", "--b\n", "--b--", "--b", " --b\r\n",
}

var comments = regexp.MustCompile(`\([^()]*\)`)

// TestAsPython: of the same messages, the types and names that Python sees are seen here,
// or the message is refused. The other way round more may be seen: a part that only some
// programs see counts. These differences are Python's:
//
//   - A line that is no field ends a header for it, and what follows is text, or in a digest
//     a message. Other programs go on, so the fields behind it count here. What has no name
//     and the type of what declares none is nothing that a list refuses.
//   - It leaves comments, spaces and what follows in a type (RFC 2045, 5.1 and RFC 822, 3.4),
//     and in a name folds (RFC 5322, 2.2.3), and quotes with words behind them.
func TestAsPython(t *testing.T) {
	path, err := exec.LookPath("/usr/bin/python3")
	if err != nil {
		t.Skip(err)
	}
	cmd := exec.Command(path, "-c", python)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer in.Close()
	answers := bufio.NewReader(out)
	random := rand.New(rand.NewPCG(1, 2)) // the same messages each time
	const messages = 4000
	refused, seen := 0, 0
	for range messages {
		// Its own header is in order: a message without that is refused before.
		var b strings.Builder
		b.WriteString(pieces[random.IntN(9)] + "\r\n")
		for range 1 + random.IntN(14) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		message := b.String()
		if _, err := in.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(message))), message...)); err != nil {
			t.Fatal(err)
		}
		line, err := answers.ReadBytes('\n')
		if err != nil && err != io.EOF {
			t.Fatal(err)
		}
		var theirs [][2]string
		if err := json.Unmarshal(line, &theirs); err != nil {
			t.Fatalf("%v: %q", err, line)
		}
		var ours []Part
		raw, at, err := rewrite.ReadHeader(strings.NewReader(message))
		if err != nil {
			t.Fatal(err)
		}
		err = Walk(rewrite.Parse(raw), strings.NewReader(message[at:]), func(p Part) error { ours = append(ours, p); return nil })
		if errors.Is(err, ErrUnreadable) {
			refused++
			continue
		}
		if err != nil {
			t.Fatalf("%q: %v", message, err)
		}
		seen++
		types, names := map[string]bool{"text/plain": true, "message/rfc822": true}, map[string]bool{"": true}
		for _, p := range ours {
			types[p.Type] = true
			for _, name := range p.Names {
				names[name] = true
			}
		}
		for _, part := range theirs {
			kind, name := first(comments.ReplaceAllString(part[0], "")), strings.ReplaceAll(part[1], "\r\n", "")
			if q, ok := quoted("=" + name); ok {
				name = q
			}
			if !types[kind] || !names[name] {
				t.Errorf("%q\nhas %q for Python; here %+v", message, part, ours)
			}
		}
	}
	if refused == 0 || seen < messages/3 {
		t.Errorf("%d messages were seen through, %d refused", seen, refused)
	}
	t.Logf("%d messages were seen through, %d refused", seen, refused)
}
