package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A read message is what a member's mail program has to show of one.
type read struct {
	name, raw           string
	from, subject, text string // text is in the order in which it is shown, as a pattern
}

const readerFooter = "The list dev, für alle"

// toRead are messages of which each has something that a program may get wrong.
func toRead() []read {
	head := func(from, subject, fields string) string {
		return "From: " + from + "\r\nTo: dev@lists.example.org\r\nSubject: " + subject + "\r\nDate: Mon, 30 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n" + fields + "\r\n"
	}
	text := func(charset, encoding string) string {
		return "Content-Type: text/plain; charset=" + charset + "\r\nContent-Transfer-Encoding: " + encoding + "\r\n"
	}
	return []read{
		{"ascii", head("Alice Liddell <alice@author.example>", "hello", "") + "Hello.\r\n-- \r\nAlice\r\n", "Alice Liddell via dev", "[dev] hello", `Hello\.\s+--\s+Alice\s+FOOTER`},
		{"latin1", head("=?iso-8859-1?q?J=FCrgen_M=FCller?= <j@author.example>", "=?iso-8859-1?q?gr=FC=DFe?=", text("iso-8859-1", "8bit")) + "Gr\xfc\xdfe.\r\n", "Jürgen Müller via dev", "[dev] grüße", `Grüße\.\s+FOOTER`},
		{"quoted-printable", head("\"Liddell, Alice\" <alice@author.example>", "Re: hello", text("utf-8", "quoted-printable")) + "na=C3=AFve =\r\ntext=20\r\n", "Liddell, Alice via dev", "[dev] Re: hello", `naïve text\s+FOOTER`},
		{"base64", head("alice@author.example", "=?utf-8?b?5pel5pys6Kqe?=", text("utf-8", "base64")) + "5pel5pys6Kqe44Gn44GZ44CCDQo=\r\n", "alice via dev", "[dev] 日本語", `日本語です。\s+FOOTER`},
		{"iso-2022-jp", head("Alice <alice@author.example>", "=?iso-2022-jp?b?GyRCRnxLXDhsGyhC?=", text("iso-2022-jp", "7bit")) + "\x1b$BF|K\\8l\x1b(B\r\n", "Alice via dev", "[dev] 日本語", `日本語\s+(?s:.*)FOOTER`},
		{"flowed", head("Alice <alice@author.example>", "flowed", "Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes\r\n") + "A long par \r\nagraph. \r\n", "Alice via dev", "[dev] flowed", `A long par(\s*)agraph\.\s+FOOTER`},
		{"alternative", head("Alice <alice@author.example>", "both", "Content-Type: multipart/alternative; boundary=b\r\n") + "--b\r\n" + text("utf-8", "8bit") + "\r\nPlain text.\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>HTML text.</p></body></html>\r\n\r\n--b--\r\n", "Alice via dev", "[dev] both", `Plain text\.\s+FOOTER`},
		{"picture", head("Alice <alice@author.example>", "picture", "Content-Type: multipart/mixed; boundary=b\r\n") + "--b\r\nContent-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=a.png\r\n\r\niVBORw0KGgo=\r\n--b--\r\n", "Alice via dev", "[dev] picture", `(?s:.*)FOOTER`},
	}
}

// TestReaders: mutt, mu, notmuch and Python's email show author, subject, text and footer
// of what members get.
func TestReaders(t *testing.T) {
	dirs := unpacked(t, "mutt", "maildir-utils", "notmuch")
	if dirs == nil {
		t.Skip("end to end: needs root")
	}
	t.Parallel()
	l := listWith(t, "subject_prefix = \"[dev]\"\nfooter = \""+readerFooter+"\"\ndmarc = \"munge\"\nlanguage = \"en\"\n")
	home := t.TempDir()
	box := filepath.Join(home, "box")
	for _, sub := range []string{"cur", "new", "tmp"} {
		must(t, os.MkdirAll(filepath.Join(box, sub), 0o700))
	}
	for i, m := range toRead() {
		raw := strings.Replace(m.raw, "\r\n", fmt.Sprintf("\r\nMessage-ID: <%d@author.example>\r\n", i), 1)
		must(t, os.WriteFile(filepath.Join(box, "cur", fmt.Sprintf("%d.x:2,", i)), []byte(strings.ReplaceAll(asMembersGet(t, l, raw), "\r\n", "\n")), 0o600))
	}
	in := func(c *exec.Cmd) string {
		t.Helper()
		c.Env = append(c.Env, "HOME="+home, "NOTMUCH_CONFIG="+home+"/notmuch", "XDG_CACHE_HOME="+home, "TERM=xterm", "LC_ALL=C.UTF-8")
		c.Dir = home
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", c.Path, err, out)
		}
		return string(out)
	}
	must(t, os.WriteFile(home+"/notmuch", []byte("[database]\npath="+box+"\n[user]\nname=Bob\nprimary_email=bob@example.net\n"), 0o600))
	must(t, os.WriteFile(home+"/muttrc", []byte("set charset=utf-8 pipe_decode=yes wait_key=no quit=yes reflow_text=no weed=yes implicit_autoview=no\nset folder="+box+"\nignore *\nunignore from subject\n"), 0o600))
	in(command(dirs[1], "/usr/bin/mu", "init", "--quiet", "--muhome="+home+"/mu", "--maildir="+box))
	in(command(dirs[1], "/usr/bin/mu", "index", "--quiet", "--muhome="+home+"/mu"))
	in(command(dirs[2], "/usr/bin/notmuch", "new", "--quiet"))
	for i, m := range toRead() {
		file := filepath.Join(box, "cur", fmt.Sprintf("%d.x:2,", i))
		id := fmt.Sprintf("%d@author.example", i)
		pattern := regexp.MustCompile(strings.ReplaceAll(m.text, "FOOTER", regexp.QuoteMeta(readerFooter)))
		shown := map[string]string{
			"mu":      in(command(dirs[1], "/usr/bin/mu", "view", "--muhome="+home+"/mu", file)),
			"mu find": in(command(dirs[1], "/usr/bin/mu", "find", "--muhome="+home+"/mu", "--fields", "f s", "msgid:"+id)),
			"notmuch": in(command(dirs[2], "/usr/bin/notmuch", "show", "--format=text", "id:"+id)),
			"python":  in(exec.Command("/usr/bin/python3", "-c", pythonReader, file)),
		}
		mutt := command(dirs[0], "/usr/bin/script", "-qec", fmt.Sprintf("'%s/usr/bin/mutt' -n -F '%s/muttrc' -f '%s' -e 'push \"<limit>~i %s<enter><pipe-message>cat >%s/shown<enter><quit>\"'", dirs[0], home, box, id, home), "/dev/null")
		in(mutt)
		text, err := os.ReadFile(home + "/shown")
		must(t, err)
		shown["mutt"] = string(text)
		for program, text := range shown {
			if !strings.Contains(text, m.from) && !strings.Contains(text, strings.ReplaceAll(m.from, ",", "\\,")) {
				t.Errorf("%s: %s shows no %q: %s", m.name, program, m.from, text)
			}
			if !strings.Contains(text, m.subject) {
				t.Errorf("%s: %s shows no %q: %s", m.name, program, m.subject, text)
			}
			if program != "mu find" && !pattern.MatchString(text) {
				t.Errorf("%s: %s does not show %s: %s", m.name, program, pattern, text)
			}
		}
	}
}

// pythonReader shows a message as a program does that is written with Python's email.
const pythonReader = `
import email, email.policy, sys
m = email.message_from_binary_file(open(sys.argv[1], 'rb'), policy=email.policy.default)
assert not [d for p in m.walk() for d in p.defects]
print(m['from'], m['subject'], *[p.get_content() for p in m.walk() if p.get_content_type() == 'text/plain'], sep='\n')
`
