package milter_test

import (
	"bytes"
	"fmt"
	"strings"

	"superlist/milter"
)

// conn is what a mail server says, and what it hears: standard input and output
// in a program that spawn(8) starts.
type conn struct {
	*strings.Reader
	bytes.Buffer
}

func (c *conn) Read(p []byte) (int, error) { return c.Reader.Read(p) }

// Example is libMilterPHP's sample: mail from a known spammer is held.
func Example() {
	filter := milter.Filter{
		Actions: milter.ActQuarantine,
		Mail: func(s *milter.Session, from string, args []string) error {
			if strings.EqualFold(from, "<spameri@tiscali.it>") {
				return s.Quarantine("Spammer in quarantine!")
			}
			return nil
		},
	}

	c := &conn{Reader: strings.NewReader(
		"\x00\x00\x00\x0dO\x00\x00\x00\x06\x00\x00\x01\xff\x00\x1f\xff\xff" + // version 6, all that Postfix has
			"\x00\x00\x00\x16M<spameri@tiscali.it>\x00" +
			"\x00\x00\x00\x01E" + // end of the message
			"\x00\x00\x00\x01Q")}
	fmt.Println(filter.Serve(c))
	fmt.Printf("%q\n", c.Bytes()[17:]) // after the answer to the first packet
	// Output:
	// <nil>
	// "\x00\x00\x00\x01c\x00\x00\x00\x18qSpammer in quarantine!\x00\x00\x00\x00\x01c"
}
