package migrate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp/syntax"
	"strings"
	"time"

	"superlist/lists/pattern"
	"superlist/smtp"
)

func (m *mailman) roles() error {
	r := &m.p.Report
	take := func(role string) (paths []smtp.Path) {
		m.each(role, func(source string, n int, e mailmanEntry) {
			p, ok := smtp.ParseAddress(e.Email)
			switch {
			case !ok:
				r.leaveLine(source, n, short(e.Email)+" is not an address")
			case len(paths) < maxPatterns:
				paths = append(paths, p)
			default:
				r.leaveLine(source, n, "more than a list has room for")
			}
		})
		return paths
	}
	m.p.Owners = take("owner")
	if len(m.p.Owners) > 0 {
		r.take("owner", "owners = %s", clip(spell(m.p.Owners)))
	}
	if len(m.Owners) > 0 {
		m.p.Owners = m.Owners
	}
	if len(m.p.Owners) == 0 {
		return errNoOwner
	}
	if mods := take("moderator"); len(mods) > 0 {
		m.p.set("moderators", quoteAll(mods))
		r.take("moderator", "moderators = %s", clip(spell(mods)))
	}
	m.members()
	m.nonmembers()
	m.bans()
	return nil
}

// members: how they get posts, and whether a moderator sees theirs first.
func (m *mailman) members() {
	r := &m.p.Report
	kinds := make(map[string]string) // by key: what the two short lists say
	for _, word := range []string{wordDigest, wordNoMail} {
		m.lines(word+".txt", func(source string, n int, e mailmanEntry) {
			if p, ok := smtp.ParseAddress(e.Email); ok {
				kinds[p.Key()] = word // nomail comes last, and counts
			} else {
				r.leaveLine(source, n, short(e.Email)+" is not an address")
			}
		})
	}
	usual := m.text("default_member_action")
	if usual == "hold" {
		m.each("member", func(_ string, _ int, e mailmanEntry) {
			m.some = m.some || e.ModerationAction != "" && e.ModerationAction != "hold"
		})
	}
	digests, banned, suspended, bouncing := 0, 0, 0, 0
	m.each("member", func(source string, n int, e mailmanEntry) {
		p, ok := smtp.ParseAddress(e.Email)
		status, _ := e.Preferences["delivery_status"].(string)
		status = cmp.Or(status, e.DeliveryStatus)
		var words []string
		switch kind := kinds[p.Key()]; {
		case status == byBounces && !strings.HasSuffix(e.DeliveryMode, "_digests"):
		case status != byBounces && (kind == wordNoMail || strings.HasPrefix(status, "by_") || status == "unknown"):
			words = append(words, wordNoMail)
		case kind == wordDigest, strings.HasSuffix(e.DeliveryMode, "_digests"):
			words = append(words, wordDigest)
			digests++
		}
		switch {
		case !ok:
		case status == byBounces:
			since := m.suspendedSince(e)
			words = append(words, "bounced="+since.Format(time.DateOnly))
			m.p.suspended(p, since, "by Mailman")
			suspended++
		case m.bounced(p, e):
			bouncing++
		}
		if own, is := e.Preferences["receive_own_postings"].(bool); is && !own {
			words = append(words, wordNoOwn)
		}
		if copies, is := e.Preferences["receive_list_copy"].(bool); is && !copies {
			words = append(words, wordNoCopy)
		}
		tag, _ := e.Preferences["preferred_language"].(string)
		if tag != "" && tag != m.text("preferred_language") {
			words = append(words, "lang="+strings.ReplaceAll(tag, "_", "-"))
		}
		action := cmp.Or(e.ModerationAction, usual)
		if action == "hold" && (usual != "hold" || m.some) {
			words = append(words, wordModerated)
		}
		who, may := member(e.Email, append(words, named(e.DisplayName)...)...)
		if !ok || !may {
			r.leaveLine(source, n, short(e.Email)+" is not an address of a member")
			return
		}
		if (action == "reject" || action == "discard") && action != usual {
			m.addBan(source, n, p)
			banned++
		}
		m.p.Members.Add(who)
	})
	r.take("member", "%s", count(m.p.Members.Len(), "member"))
	if digests > 0 {
		r.take("member: delivery_mode", "digest for %s; there is one kind of it", count(digests, "member"))
	}
	if suspended > 0 {
		r.take("member: delivery_status", "bounced= for %s to whom Mailman sent nothing, since mail came back; they are probed once a week", count(suspended, "member"))
	}
	if bouncing > 0 {
		r.take("member: bounce_score", "the days on which mail to %s came back", count(bouncing, "member"))
	}
	if banned > 0 {
		r.take("member: moderation_action", "ban for %s whose posts were refused or thrown away", count(banned, "member"))
	}
	if twice := m.p.Members.Join(unite); twice > 0 {
		r.take("member", "%s stood there more than once", count(twice, "address"))
	}
}

func (m *mailman) addBan(source string, n int, p smtp.Path) {
	if len(m.ban) >= maxPatterns {
		m.p.Report.leaveLine(source, n, "more than a list has room for")
		return
	}
	m.ban = append(m.ban, pattern.Of(p.Address()))
}

// nonmembers are those who have posted without being members.
func (m *mailman) nonmembers() {
	r := &m.p.Report
	allowed, same := 0, 0
	usual := m.text("default_nonmember_action")
	m.each("nonmember", func(source string, n int, e mailmanEntry) {
		p, ok := smtp.ParseAddress(e.Email)
		switch {
		case !ok:
			r.leaveLine(source, n, short(e.Email)+" is not an address")
		case e.ModerationAction == "" || e.ModerationAction == usual:
			same++
		case e.ModerationAction == "accept" || e.ModerationAction == "defer":
			if len(m.allow) >= maxPatterns {
				r.leaveLine(source, n, "more than a list has room for")
				return
			}
			m.allow = append(m.allow, pattern.Of(p.Address()))
			allowed++
		case e.ModerationAction == "reject" || e.ModerationAction == "discard":
			m.addBan(source, n, p)
		default:
			r.leaveLine(source, n, p.Address()+": "+e.ModerationAction+" for one who is not a member is nothing that can be said")
		}
	})
	if allowed > 0 {
		r.take("nonmember", "allow for %s", count(allowed, "address"))
	}
	if same > 0 {
		r.take("nonmember", "%s are treated like all nonmembers", count(same, "address"))
	}
}

func (m *mailman) bans() {
	n := 0
	m.eachEntry("bans.json", func(i int, raw json.RawMessage) {
		var ban struct {
			Email string `json:"email"`
		}
		if err := json.Unmarshal(raw, &ban); err != nil {
			m.p.Report.leaveLine("bans.json", i, "no entry: "+clip(string(raw)))
			return
		}
		n += m.patterns("bans.json", []string{ban.Email}, &m.ban)
	})
	if n > 0 {
		m.p.Report.take("bans.json", "ban, %s", count(n, "pattern"))
	}
}

// patterns translates addresses, and regular expressions, which begin with ^.
// They are held against the beginning of an address.
func (m *mailman) patterns(source string, list []string, to *[]string) (took int) {
	for _, s := range list {
		var patterns []string
		if p, ok := smtp.ParseAddress(s); ok && !strings.HasPrefix(s, "^") {
			patterns = []string{pattern.Of(p.Address())}
		} else if found, ok := globs(s, syntax.Perl); ok && strings.HasPrefix(s, "^") {
			for _, g := range found {
				if !g.end {
					g.text = squeeze(g.text + anything)
				}
				if !strings.Contains(g.text, "@") { // a pattern without it is a domain
					begin, ok := strings.CutSuffix(g.text, anything)
					g.text = begin + "*@*"
					if !ok {
						g.text = ""
					}
				}
				if strings.ContainsAny(g.text, " \t,<>") || strings.Trim(g.text, "*@.") == "" {
					patterns = nil
					break
				}
				patterns = append(patterns, squeeze(g.text))
			}
		}
		if len(patterns) == 0 || len(*to)+len(patterns) > maxPatterns {
			m.p.Report.leave(source, short(s)+" cannot be said in patterns with * ? and [a-z]", "rules, allow and ban in list.toml")
			continue
		}
		*to = append(*to, patterns...)
		took += len(patterns)
	}
	return took
}

// byBounces is the delivery_status of those to whom Mailman sends nothing, since mail to
// them came back.
const byBounces = "by_bounces"

// suspendedSince is when Mailman stopped to send to somebody, as far as it says.
func (m *mailman) suspendedSince(e mailmanEntry) time.Time {
	for _, s := range []string{e.LastBounce, e.LastWarning} {
		if t, ok := day(s); ok {
			return t
		}
	}
	return time.Now()
}

// bounced takes over a score: so many days until the last bounce.
func (m *mailman) bounced(p smtp.Path, e mailmanEntry) bool {
	last, ok := day(e.LastBounce)
	if !ok {
		last = time.Now()
	}
	n := int(min(max(e.BounceScore, 0), maxScore))
	var days []time.Time
	for i := range n {
		days = append(days, last.AddDate(0, 0, i+1-n))
	}
	m.p.bounced(p, days, fmt.Sprintf("Mailman has counted %g", e.BounceScore))
	return n > 0
}

// maxScore is more than a score of Mailman's grows to.
const maxScore = 30
