package smtp

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Unavailable is what XCLIENT and XFORWARD say for a value that nobody knows.
const Unavailable = "[UNAVAILABLE]"

// errNotOffered is an extension that the server does not have for us.
var errNotOffered = errors.New("not offered by the server")

// XFORWARD tells the server of the session that the messages come from, for its
// log and its filters. Of each attribute that the server announces it gives the
// value, by its name in capitals, or Unavailable. They hold for one message:
// Postfix forgets them with it. A refusal comes back as a Reply.
func (c *Client) XFORWARD(values map[string]string) error {
	return c.attributes("XFORWARD", 250, values)
}

// XCLIENT makes the server treat the session as another client's. The server
// forgets all that it was told before, and may announce other extensions.
func (c *Client) XCLIENT(values map[string]string) error {
	if err := c.attributes("XCLIENT", 220, values); err != nil {
		return err
	}
	c.unclear = false
	return c.hello()
}

// attributes says a command with all attributes, on as many lines as it takes.
func (c *Client) attributes(verb string, want int, values map[string]string) error {
	if err := c.Err(); err != nil {
		return err
	}
	names, ok := c.Extension(verb)
	if !ok {
		return fmt.Errorf("smtp: %s: %w", verb, errNotOffered)
	}
	for _, line := range attrLines(verb, strings.Fields(upper(names)), values) {
		r, err := c.command(line)
		switch {
		case err != nil:
			return err
		case c.err != nil:
			return c.err
		case r.Code != want:
			return fmt.Errorf("smtp: %s: %w", verb, negative(r))
		}
	}
	return nil
}

// attrLines makes the lines. The name and the address of an XCLIENT come last:
// with another address the server may no longer trust us.
func attrLines(verb string, names []string, values map[string]string) []string {
	names = slices.DeleteFunc(names, func(name string) bool { return !isAttrName(name) })
	if verb == "XCLIENT" {
		slices.SortStableFunc(names, func(a, b string) int { return attrRank(a) - attrRank(b) })
	}
	var lines []string
	line := verb
	for _, name := range names {
		value := encodeXtext(values[name])
		if value == "" || len(value) > MaxAttribute {
			value = Unavailable
		}
		word := " " + name + "=" + value
		if len(line)+len(word)+len("\r\n") > maxClientLine {
			lines = append(lines, line)
			line = verb
		}
		line += word
	}
	if line != verb {
		lines = append(lines, line)
	}
	return lines
}

func attrRank(name string) int { return slices.Index([]string{"NAME", "ADDR"}, name) }

// isAttrName reports whether a word that the server announced can be sent back to it.
func isAttrName(s string) bool {
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == "" && len(s) <= 64 && s != ""
}
