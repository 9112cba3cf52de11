package bounces

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"superlist/lists"
	"superlist/lists/ledger"
	"superlist/smtp"
)

// A Post is one that was refused for what it is, or because of its sender.
type Post struct {
	At      int64              `json:"at"` // when it was sent, in Unix time
	N       int                `json:"n"`  // how many members refused it
	Domains map[string]*Domain `json:"domains"`
	Members []string           `json:"members"`        // hashes of those counted
	Alarm   time.Time          `json:"alarm,omitzero"` // when the owners were told
}

// A Domain is how a post fared at one domain.
type Domain struct {
	N      int `json:"n"`
	Reason     // of the first refusal
}

const (
	// alarmAt is how many refusals are needed for an alarm about a post, and alarmPart
	// the fraction of the members of a domain, or of all members, that they must be.
	alarmAt   = 5
	alarmPart = 10

	// maxRefusers is how many members a post's record distinguishes, and maxDomains how
	// many domains: the room in a record. More would say nothing new.
	maxRefusers = 3000
	maxDomains  = 300
	// maxReasons is for how many domains the words are kept.
	maxReasons = 40
)

// postName names the record of a post sent at a time.
func postName(at time.Time) string { return strconv.FormatInt(at.Unix(), 36) }

// refused counts a member's refusal, once. It reports whether it is new.
func (p *Post) refused(member smtp.Path, why Reason) bool {
	who := hashOf(member)[:12]
	if len(p.Members) >= maxRefusers || slices.Contains(p.Members, who) {
		return false
	}
	p.Members = append(p.Members, who)
	p.N++
	name := domainOf(member)
	if p.Domains == nil {
		p.Domains = make(map[string]*Domain)
	}
	d := p.Domains[name]
	if d == nil {
		if len(p.Domains) >= maxDomains {
			return true
		}
		d = &Domain{}
		if len(p.Domains) < maxReasons {
			d.Reason = why
		}
		p.Domains[name] = d
	}
	d.N++
	return true
}

func parsePost(text string) (p Post) {
	if json.Unmarshal([]byte(text), &p) != nil {
		return Post{}
	}
	return p
}

// text returns the post as it is stored. If strangers' words are too many, those of
// some domains are dropped.
func (p *Post) text() (string, error) {
	for {
		text, err := encoded(p)
		if err != nil || len(text) <= ledger.MaxRecord {
			return text, err
		}
		cut := false
		for _, d := range p.Domains {
			if d.Words != "" || d.Reporter != "" {
				d.Words, d.Reporter, cut = "", "", true
				break
			}
		}
		if !cut {
			return text, nil
		}
	}
}

// mayAlarm reports whether the members must be counted for an alarm.
func (p *Post) mayAlarm() bool { return p.Alarm.IsZero() && p.N >= alarmAt }

// A census counts the members of a list, in all and at some domains.
type census struct {
	all     int
	domains map[string]int
}

// countMembers counts the members in all and at the domains that refused one of the
// posts.
func countMembers(l *lists.List, posts []*Post) (c census, err error) {
	c.domains = make(map[string]int)
	for _, p := range posts {
		for name := range p.Domains {
			c.domains[name] = 0
		}
	}
	members, err := l.Members()
	if err != nil {
		return c, err
	}
	defer members.Close()
	for m, err := range members.All() {
		if err != nil {
			return c, err
		}
		if m.NoMail {
			continue
		}
		c.all++
		name := domainOf(m.Path)
		if _, asked := c.domains[name]; asked {
			c.domains[name]++
		}
	}
	return c, nil
}

// alarms reports whether so many refused the post that the members are not the cause.
func (p *Post) alarms(c census) bool {
	if !p.mayAlarm() {
		return false
	}
	many := func(n, of int) bool { return n >= alarmAt && n*alarmPart >= of }
	if many(p.N, c.all) {
		return true
	}
	for name, d := range p.Domains {
		if many(d.N, c.domains[name]) {
			return true
		}
	}
	return false
}

// byDomain returns the domains that refused a post, the most refusals first, each with
// its words.
func (p *Post) byDomain(c census) (lines []string) {
	names := slices.SortedFunc(maps.Keys(p.Domains), func(a, b string) int {
		return cmp.Or(cmp.Compare(p.Domains[b].N, p.Domains[a].N), cmp.Compare(a, b))
	})
	for i, name := range names {
		if i == maxReasons {
			lines = append(lines, "…")
			break
		}
		d := p.Domains[name]
		text := fmt.Sprintf("%s: %d", name, d.N)
		if of := c.domains[name]; of > 0 {
			text = fmt.Sprintf("%s: %d/%d", name, d.N, of)
		}
		if why := d.Reason.String(); why != "" {
			text += ": " + why
		}
		lines = append(lines, text)
	}
	return lines
}

// domainOf returns a member's domain for comparison.
func domainOf(p smtp.Path) string {
	if d, ok := smtp.ASCIIDomain(p.Domain); ok {
		return d
	}
	return smtp.Fold(p.Domain)
}

// A PostView shows people a post that was refused for what it is.
type PostView struct {
	Sent    time.Time `json:"sent"`
	Refused int       `json:"refused"` // by how many members
	Domains []string  `json:"domains"` // each with its words
	Alarm   bool      `json:"alarm"`   // whether the owners were told
}

// Posts returns the posts refused for what they are, the last first.
func Posts(l *lists.List, now time.Time) (all []PostView, err error) {
	kept, err := l.Book().All(ledger.Refused, now)
	for _, k := range kept {
		p := parsePost(k.Text)
		all = append(all, PostView{time.Unix(p.At, 0).UTC(), p.N, p.byDomain(census{}), !p.Alarm.IsZero()})
	}
	slices.SortFunc(all, func(a, b PostView) int { return b.Sent.Compare(a.Sent) })
	return all, err
}
