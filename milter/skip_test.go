package milter_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"superlist/milter"
	"superlist/milter/miltertest"
)

// TestClientSkip: a filter may say Skip to everything, agreed on or not; it costs
// it what of that kind would follow, and nothing else.
func TestClientSkip(t *testing.T) {
	for _, agreed := range []string{"0x0", "0x400"} {
		var answers []byte
		for _, text := range []string{"O 6 0x0 " + agreed,
			"s", "s", // CONNECT, HELO
			"s", "s", "s", "s", "s", "s", "s", // MAIL, RCPT, DATA, a field, EOH, a piece, the end
			"s", "c", "c", "s", "c", "c", "s", "c", "c", "c", "s", // all of them
		} {
			p, err := miltertest.Packet(text)
			if err != nil {
				t.Fatal(err)
			}
			answers = append(answers, p...)
		}
		rw := &pipeOf{Reader: bytes.NewReader(answers)}
		c := &milter.Client{}
		step := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		step(c.Open(rw))
		step(c.Connect(milter.Connection{Host: "client", Family: 'U'}))
		step(c.Helo("client"))
		for range 2 { // in the second message it skips single commands, which changes nothing
			step(c.Mail("<a@example.com>"))
			step(c.Rcpt("<b@example.org>"))
			step(c.Rcpt("<c@example.org>"))
			step(c.Data())
			step(c.Header("X", " 1"))
			step(c.Header("Y", " 2"))
			step(c.EOH())
			step(c.Body(strings.NewReader(strings.Repeat("x", 3*milter.MaxSend))))
			step(c.EOM())
		}
		step(c.Quit())
		if got, want := rw.codes(t), "OCH MRTLNBE MRRTLLNBBBE Q"; got != strings.ReplaceAll(want, " ", "") {
			t.Errorf("agreed %s: sent %s, want %s", agreed, got, want)
		}
	}
}

// A pipeOf gives what the filter says, and keeps what it is sent.
type pipeOf struct {
	*bytes.Reader
	sent bytes.Buffer
}

func (p *pipeOf) Write(b []byte) (int, error) { return p.sent.Write(b) }

// codes are the commands that were sent.
func (p *pipeOf) codes(t *testing.T) string {
	t.Helper()
	var codes strings.Builder
	for b := p.sent.Bytes(); len(b) >= 5; {
		n := int(b[0])<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3])
		if len(b) < 4+n {
			t.Fatalf("half a packet: %q", b)
		}
		fmt.Fprintf(&codes, "%c", b[4])
		b = b[4+n:]
	}
	return codes.String()
}
