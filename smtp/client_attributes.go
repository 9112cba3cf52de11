package smtp

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Unavailable stands for an unknown value in XCLIENT and XFORWARD.
const Unavailable = "[UNAVAILABLE]"

// errNotOffered means that the server does not offer us an extension.
var errNotOffered = errors.New("not offered by the server")

// XFORWARD tells the server about the session that the messages come from, for its log
// and its filters. For each attribute that the server announces it sends the value,
// looked up by its name in capitals, or Unavailable. The values hold for one message:
// Postfix then forgets them. A refusal is returned as a Reply.
func (c *Client) XFORWARD(values map[string]string) error {
	return c.attributes("XFORWARD", 250, values)
}

// XCLIENT makes the server treat the session as another client's. The server forgets
// everything it was told before, and may announce other extensions.
func (c *Client) XCLIENT(values map[string]string) error {
	if err := c.attributes("XCLIENT", 220, values); err != nil {
		return err
	}
	c.unclear = false
	return c.hello()
}

// attributes sends a command with all attributes, on as many lines as it takes.
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

// attrLines builds the lines. The name and the address of an XCLIENT come last: after a
// new address the server may no longer trust us.
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

// isAttrName reports whether an announced word can be sent back to the server.
func isAttrName(s string) bool {
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == "" && len(s) <= 64 && s != ""
}
