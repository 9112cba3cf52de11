package migrate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"superlist/smtp"
)

func (m *mailman) readConfig() error {
	text, err := m.read("config.json")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &m.config); err != nil {
		return fmt.Errorf("config.json: %w: %w", ErrNotThis, err)
	}
	was, ok := smtp.ParseAddress(m.text("fqdn_listname"))
	switch {
	case !m.As.IsNull():
		m.p.Addr = m.As
		if ok && was.Key() != m.As.Key() {
			m.p.Report.leave("config.json: fqdn_listname", was.Address()+" was the list's address",
				"have Postfix know it as an alias: virtual_alias_maps, "+was.Address()+" "+m.As.Address())
		}
	case ok:
		m.p.Addr = was
	default:
		return errNoAddress
	}
	return nil
}

func (m *mailman) text(key string) string {
	s, _ := m.config[key].(string)
	return s
}

func (m *mailman) strings(key string) (list []string) {
	values, _ := m.config[key].([]any)
	for _, v := range values {
		if s, ok := v.(string); ok {
			list = append(list, s)
		}
	}
	return list
}

// A mailmanEntry is a member in a roster. If preferences were requested too, it may
// contain them.
type mailmanEntry struct {
	Email            string         `json:"email"`
	DisplayName      string         `json:"display_name"`
	DeliveryMode     string         `json:"delivery_mode"`
	DeliveryStatus   string         `json:"delivery_status"`
	ModerationAction string         `json:"moderation_action"`
	BounceScore      float64        `json:"bounce_score"`
	LastBounce       string         `json:"last_bounce_received"`
	LastWarning      string         `json:"last_warning_sent"`
	Preferences      map[string]any `json:"preferences"`
}

// eachEntry calls do for the entries of an answer, which may be many, without keeping
// them. It does nothing if the file does not exist.
func (m *mailman) eachEntry(name string, do func(n int, raw json.RawMessage)) {
	f, _, err := m.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		defer f.Close()
		err = entriesOf(f, maxEntry, do)
	}
	if err != nil {
		m.p.Report.leave(name, "what comes from there on cannot be read: "+err.Error(), "")
	}
}

// maxEntry is the largest entry of an answer: a held post, each byte of which may be
// written as six.
const maxEntry = 256 << 20

// errEntry means that an answer would need too much memory.
var errEntry = errors.New("an entry is too large")

// An allowance limits how much may be read until more is granted.
type allowance struct {
	r    io.Reader
	left int
}

func (a *allowance) Read(p []byte) (int, error) {
	if a.left <= 0 {
		return 0, errEntry
	}
	n, err := a.r.Read(p)
	a.left -= n
	return n, err
}

// entriesOf parses {"entries": […], …}, or […] alone, with no entry larger than max,
// apart from read-ahead.
func entriesOf(r io.Reader, max int, do func(n int, raw json.RawMessage)) error {
	give := &allowance{r, max}
	d := json.NewDecoder(give)
	open, err := d.Token()
	if err != nil {
		return err
	}
	array := func() error {
		for n := 1; d.More(); n++ {
			var raw json.RawMessage
			if err := d.Decode(&raw); err != nil {
				return fmt.Errorf("entry %d: %w", n, err)
			}
			do(n, raw)
			give.left = max
		}
		_, err := d.Token()
		return err
	}
	switch open {
	case json.Delim('['):
		return array()
	case json.Delim('{'):
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return err
			}
			if key != "entries" {
				var skip json.RawMessage
				if err := d.Decode(&skip); err != nil {
					return err
				}
				continue
			}
			if begin, err := d.Token(); err != nil || begin != json.Delim('[') {
				return errors.Join(err, errors.New("entries is not a list"))
			}
			if err := array(); err != nil {
				return err
			}
		}
		_, err := d.Token()
		return err
	}
	return errors.New("it is neither an answer nor a list")
}

// each calls do for those with a role: from ROLE.json, or else from ROLE.txt.
func (m *mailman) each(role string, do func(source string, n int, e mailmanEntry)) {
	name := role + ".json"
	if m.has(name) {
		m.eachEntry(name, func(n int, raw json.RawMessage) {
			m.step("reading "+role+"s", n, 0)
			var e mailmanEntry
			if err := json.Unmarshal(raw, &e); err != nil {
				m.p.Report.leaveLine(name, n, "no entry of a roster: "+clip(string(raw)))
				return
			}
			do(name, n, e)
		})
		return
	}
	m.lines(role+".txt", do)
}

// lines handles the output of "mailman members".
func (m *mailman) lines(name string, do func(source string, n int, e mailmanEntry)) {
	f, _, err := m.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		defer f.Close()
		err = eachLine(f, '\n', func(n int, line []byte, long bool) {
			text := strings.TrimSpace(string(line))
			if text == "" || strings.HasSuffix(text, " has no members") {
				return
			}
			m.step("reading "+name, n, 0)
			who, address := splitName(text)
			if long {
				address = text
			}
			do(name, n, mailmanEntry{Email: address, DisplayName: who})
		})
	}
	if err != nil {
		m.p.Report.leave(name, err.Error(), "")
	}
}
