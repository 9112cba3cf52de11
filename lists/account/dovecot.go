package account

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"superlist/smtp"
)

const (
	// dovecotTimeout is how long Dovecot may take for one answer. It delays failures by
	// two seconds, and by up to 15 after many from one place.
	dovecotTimeout = 30 * time.Second
	// maxDovecotLine is the longest line accepted from it; Dovecot promises 8192 (its
	// AUTH_CLIENT_MAX_LINE_LENGTH), and 16384 since 2.4.
	maxDovecotLine = 32 << 10
	// maxDovecotLines is how many lines its greeting may have, and how many lines about
	// others may precede an answer.
	maxDovecotLines = 100
)

// Refusals for which Dovecot has a code.
var (
	replyDisabled = smtp.Reply{Code: 535, Enhanced: "5.7.8", Text: "this account is disabled; ask those who run the mail server"}
	replyExpired  = smtp.Reply{Code: 535, Enhanced: "5.7.8", Text: "the password has expired; choose a new one and try again"}
)

// errDovecot wraps input that violates Dovecot's protocol.
var errDovecot = errors.New("not Dovecot's auth protocol")

// A dovecot is a connection to Dovecot's auth service, used as Postfix uses it:
// protocol 1, doc/wiki/Design.AuthProtocol.
type dovecot struct {
	conn       net.Conn
	br         *bufio.Reader
	mechanisms []string
}

// dialDovecot connects and reads the greeting.
func dialDovecot(path string) (*dovecot, error) {
	ctx, cancel := context.WithTimeout(context.Background(), dovecotTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	d := &dovecot{conn: conn, br: bufio.NewReaderSize(conn, maxDovecotLine)}
	if err := d.greet(); err != nil {
		conn.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

func (d *dovecot) Close() error { return d.conn.Close() }

// greet introduces us and reads what is offered.
func (d *dovecot) greet() error {
	if err := d.say("VERSION\t1\t1\nCPID\t" + fmt.Sprint(os.Getpid()) + "\n"); err != nil {
		return err
	}
	version := false
	for range maxDovecotLines {
		f, err := d.hear()
		if err != nil {
			return err
		}
		switch f[0] {
		case "VERSION":
			if len(f) < 2 || f[1] != "1" {
				return fmt.Errorf("%w: version %.20q", errDovecot, strings.Join(f[1:], "."))
			}
			version = true
		case "MECH":
			if len(f) > 1 && f[1] == strings.ToUpper(f[1]) {
				d.mechanisms = append(d.mechanisms, f[1])
			}
		case "DONE":
			if !version {
				return fmt.Errorf("%w: no version", errDovecot)
			}
			return nil
		}
	}
	return fmt.Errorf("%w: a greeting of more than %d lines", errDovecot, maxDovecotLines)
}

func (d *dovecot) say(s string) error {
	d.conn.SetDeadline(time.Now().Add(dovecotTimeout))
	_, err := d.conn.Write([]byte(s))
	return err
}

// hear reads a line and returns its fields.
func (d *dovecot) hear() ([]string, error) {
	d.conn.SetDeadline(time.Now().Add(dovecotTimeout))
	line, err := d.br.ReadSlice('\n')
	switch {
	case err == bufio.ErrBufferFull:
		return nil, fmt.Errorf("%w: a line of more than %d bytes", errDovecot, maxDovecotLine)
	case err != nil:
		return nil, fmt.Errorf("answer of Dovecot: %w", err)
	}
	return strings.Split(string(line[:len(line)-1]), "\t"), nil
}

// A dovecotExchange is one attempt that Dovecot decides about.
type dovecotExchange struct {
	*dovecot
	begin string // the AUTH line without the initial response; empty once sent
	login string
}

// beginDovecot connects, and prepares an AUTH line. It contains no words of the
// client's: the address is one, the mechanism is one of Dovecot's, and the rest is
// base64.
func beginDovecot(path string, r smtp.AuthRequest) (smtp.Exchange, error) {
	d, err := dialDovecot(path)
	if err != nil {
		return nil, err
	}
	line := "AUTH\t1\t" + r.Mechanism + "\tservice=smtp\tnologin"
	if r.Peer.Addr.IsValid() {
		line += "\trip=" + r.Peer.Addr.Addr().Unmap().WithZone("").String() + fmt.Sprintf("\trport=%d", r.Peer.Addr.Port())
	}
	if r.TLS.On() {
		line += "\tsecured"
	}
	return &dovecotExchange{dovecot: d, begin: line}, nil
}

func (x *dovecotExchange) Login() string { return x.login }

func (x *dovecotExchange) Next(response []byte) (challenge []byte, done bool, err error) {
	line := "CONT\t1\t" + base64.StdEncoding.EncodeToString(response) + "\n"
	if x.begin != "" {
		line, x.begin = x.begin+"\n", ""
		if response != nil {
			line = line[:len(line)-1] + "\tresp=" + base64.StdEncoding.EncodeToString(response) + "\n"
		}
	}
	if err := x.say(line); err != nil {
		return nil, false, err
	}
	for range maxDovecotLines {
		f, err := x.hear()
		if err != nil {
			return nil, false, err
		}
		if len(f) < 2 || f[1] != "1" {
			continue // the rest of the greeting, or something newer than this program
		}
		switch f[0] {
		case "CONT":
			text := ""
			if len(f) > 2 {
				text = f[2]
			}
			if challenge, err = base64.StdEncoding.DecodeString(text); err != nil {
				return nil, false, fmt.Errorf("%w: a challenge that is not base64", errDovecot)
			}
			return challenge, false, nil
		case "OK":
			x.login = field(f, "user")
			if x.login == "" {
				return nil, false, fmt.Errorf("%w: OK without a user", errDovecot)
			}
			return nil, true, nil
		case "FAIL":
			x.login = field(f, "user")
			return nil, false, refusal(f)
		}
	}
	return nil, false, fmt.Errorf("%w: no answer in %d lines", errDovecot, maxDovecotLines)
}

// refusal returns the meaning of a FAIL.
func refusal(f []string) error {
	why := fmt.Errorf("refused by Dovecot: %s %s", field(f, "code"), field(f, "reason"))
	switch code := field(f, "code"); {
	case has(f, "temp"), code == "temp_fail":
		return fmt.Errorf("%w: %w", smtp.ReplyAuthLater, why)
	case code == "user_disabled", has(f, "user_disabled"):
		return fmt.Errorf("%w: %w", replyDisabled, why)
	case code == "pass_expired":
		return fmt.Errorf("%w: %w", replyExpired, why)
	}
	return fmt.Errorf("%w: %w", smtp.ReplyAuthFailed, why)
}

// flag looks for a field and returns what follows its "=".
func flag(f []string, name string) (value string, ok bool) {
	for _, word := range f[2:] {
		key, value, _ := strings.Cut(word, "=")
		if key == name {
			return unescape(value), true
		}
	}
	return "", false
}

func has(f []string, name string) bool {
	_, ok := flag(f, name)
	return ok
}

func field(f []string, name string) string {
	value, _ := flag(f, name)
	return value
}

// unescape is Dovecot's str_tabunescape.
func unescape(s string) string {
	return strings.NewReplacer("\x010", "\x00", "\x011", "\x01", "\x01t", "\t", "\x01r", "\r", "\x01n", "\n").Replace(s)
}
