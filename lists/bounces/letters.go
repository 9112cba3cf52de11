package bounces

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/letter"
	"superlist/lists/maillog"
	"superlist/lists/members"
	"superlist/lists/outbox"
	"superlist/smtp"
)

// lineOf names the texts for the owners' letter, of a line or two each.
var lineOf = map[What]string{
	Suspended: "bounce-suspended", Reinstated: "bounce-reinstated", Removed: "bounce-removed",
	Notified: "bounce-notified", Forwarded: "bounce-forwarded", OwnerGone: "bounce-owner",
}

// tellOwners writes one letter to the owners about all decisions. An owner whose own
// address is gone does not get it.
func (k *looking) tellOwners() {
	gone := make(map[string]bool)
	for _, n := range k.told {
		if p, ok := smtp.ParseAddress(n.address); ok && n.What == OwnerGone {
			gone[p.Key()] = true
			k.j.Log.Printf(maillog.Warning, "bounces list=%s owner=%s gone reason=%q: an owner or moderator gets no mail", k.l.Addr, p, n.Why)
		}
	}
	to := slices.DeleteFunc(slices.Clone(k.l.OwnerPaths()), func(p smtp.Path) bool { return gone[p.Key()] })
	if len(k.told) == 0 || len(to) == 0 {
		return
	}
	slices.SortStableFunc(k.told, func(a, b notice) int { return strings.Compare(a.address, b.address) })
	daily := outbox.Draft{
		ID: k.id + "-owners", Text: "bounce-daily", To: to, At: k.now,
		Words: map[string]string{"count": strconv.Itoa(len(k.told)), "number": strconv.Itoa(k.rules.SuspendedDays)},
	}
	lang := daily.Language(k.l)
	complaints := 0
	for _, n := range k.told {
		if n.What == Complained {
			complaints++
			continue
		}
		daily.Quote += k.line(lineOf[n.What], lang, map[string]string{"address": n.address, "reason": n.Why, "date": day(n.At)})
	}
	if complaints > 0 {
		daily.Quote += k.line("bounce-complained", lang, map[string]string{"count": strconv.Itoa(complaints)})
	}
	k.letters = append(k.letters, daily)
}

// line fills in a text that is part of a letter.
func (k *looking) line(name, lang string, words map[string]string) string {
	text, err := letter.Find(name, lang, k.l.Dir)
	if err != nil {
		k.j.Log.Printf(maillog.Warning, "texts list=%s error=%q", k.l.Addr, err)
	}
	return text.Fill(words)
}

// back writes the letter to a reinstated member.
func (j *Judge) back(l *lists.List, m members.Member, since time.Time, id string, now time.Time) outbox.Draft {
	words := map[string]string{"address": m.Path.Address(), "date": since.UTC().Format(time.DateOnly)}
	first, last, n := missed(l, since)
	words["count"] = strconv.Itoa(n)
	if n > 0 && l.Archive && l.ArchiveAccess != lists.ArchiveNobody {
		get := fmt.Sprintf("%s-%d", lists.VerbGet, first)
		if last > first {
			get += fmt.Sprintf("-%d", last)
		}
		words["next"] = l.Verb(get).Address()
	}
	return outbox.Draft{ID: id, Text: "bounce-back", To: []smtp.Path{m.Path}, At: now, Lang: m.Lang, Words: words}
}

// missed returns the numbers of the posts since a time, if there is an archive.
func missed(l *lists.List, since time.Time) (first, last, n int) {
	posts := l.Posts()
	low, high, err := posts.Range()
	if err != nil {
		return 0, 0, 0
	}
	for i := high; i >= low; i-- {
		e, err := posts.Entry(i)
		if err != nil {
			continue
		}
		if e.Time.Before(since) {
			break
		}
		if first, n = i, n+1; last == 0 {
			last = i
		}
	}
	return first, last, n
}
