package smtp

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// A Mechanism is the client's side of one SASL exchange: RFC 4422. It extends the
// Client interface of github.com/emersion/go-sasl by Finished.
type Mechanism interface {
	// Start returns the mechanism's name and the first response; nil if the server
	// speaks first.
	Start() (mechanism string, response []byte, err error)
	// Next answers a challenge.
	Next(challenge []byte) (response []byte, err error)
	// Finished returns an error if the server accepted us without proving what it
	// must.
	Finished() error
}

// authenticate logs in: RFC 4954, 4.
func (c *Client) authenticate() error {
	if c.Auth == nil {
		return nil
	}
	if c.channel == nil {
		return c.fail(errClearAuth)
	}
	offered, ok := c.Extension("AUTH")
	if !ok {
		return c.fail(errNoAuth)
	}
	m, err := c.Auth(strings.Fields(upper(offered)))
	if err != nil {
		return c.fail(err)
	}
	name, response, err := m.Start()
	if err != nil {
		return c.fail(err)
	}
	line := "AUTH " + name
	if response != nil {
		if first := line + " " + encodeResponse(response); len(first)+len("\r\n") <= maxClientLine {
			line, response = first, nil
		}
	}
	for {
		r, err := c.command(line)
		switch {
		case err != nil:
			return err
		case r.Code/100 == 2:
			if err := m.Finished(); err != nil {
				return c.fail(fmt.Errorf("smtp: AUTH %s: %w", name, err))
			}
			return c.err
		case r.Code != 334:
			return c.fail(refusal(r))
		}
		if response == nil {
			response, err = answer(m, r.Text)
		}
		if err != nil { // RFC 4954, 4: a lone asterisk ends the exchange
			c.command("*")
			return c.fail(fmt.Errorf("smtp: AUTH %s: %w", name, err))
		}
		line, response = base64.StdEncoding.EncodeToString(response), nil
	}
}

func answer(m Mechanism, text string) ([]byte, error) {
	challenge, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return nil, err
	}
	return m.Next(challenge)
}

// encodeResponse encodes a first response; an empty one is "=".
func encodeResponse(b []byte) string {
	if len(b) == 0 {
		return "="
	}
	return base64.StdEncoding.EncodeToString(b)
}
