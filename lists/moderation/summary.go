package moderation

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/heldpost"
	"superlist/lists/ledger"
	"superlist/lists/letter"
	"superlist/lists/maillog"
	"superlist/lists/message"
	"superlist/lists/outbox"
	"superlist/lists/people"
	"superlist/lists/rewrite"
	"superlist/lists/weblink"
	"superlist/queue"
	"superlist/smtp"
)

const (
	// MaxParts is how many posts a summary has, and MaxSize how large they are
	// together: what many mail systems accept. It names the others.
	MaxParts = 50
	MaxSize  = 5 << 20
)

// Summaries tells the moderators of lists that want it once a day what is held. A
// summary is in the spool before its reminder is removed, and is sent only after that
// (its head says so). What a crash leaves in between is completed, and sent once.
func (s *Desk) Summaries() error {
	return s.dueSummaries(func(addr smtp.Path, reminder string) error {
		l, err := lists.Of(s.Site).Open(addr)
		if errors.Is(err, lists.ReplyNoList) {
			return nil // the list has been removed
		}
		if err != nil {
			return err
		}
		return s.summaryOnce(l, outbox.Cause{ID: "summary-" + reminder, After: []queue.After{{What: queue.AfterSummary, ID: reminder}}})
	})
}

// summaryOnce is summary, if no other host makes it. On a host of a cluster the letters are
// written within the change that says who does: if that does not come to be, they are
// dropped before the next try.
func (s *Desk) summaryOnce(l *lists.List, c outbox.Cause) (err error) {
	if !s.Site.InCluster() {
		return s.summary(l, c)
	}
	end, err := s.Site.Disk.Begin(l.Dir)
	if err != nil {
		return err
	}
	defer end(&err)
	l = l.Within()
	made := ledger.Record{Name: confirmation.Name("summary", c.ID), Text: s.Site.Own(c.ID), At: s.Now()}
	old, there, err := l.Book().Recall(ledger.Decided, made.Name, s.Now())
	if err != nil || there && old.Cause() == made.Text {
		return err
	}
	if err := s.Spool.DropAll(queue.Outbound, c.ID); err != nil || there {
		return err
	}
	if _, err := l.Ledger.First(l.Book(), ledger.Decided, made); err != nil {
		return err
	}
	return s.summary(l, c)
}

// summary writes to a list's moderators what it holds, the oldest first. What is not
// decided by tomorrow is in the next summary too.
func (s *Desk) summary(l *lists.List, c outbox.Cause) error {
	spool := heldpost.Spool(s.Site, l)
	entries, err := spool.List(queue.Held)
	if err != nil {
		return err
	}
	var posts []*message.Message
	defer func() {
		for _, m := range posts {
			m.Close()
		}
	}()
	for _, e := range entries {
		m, err := spool.Open(queue.Held, e.ID)
		if err != nil { // decided a moment ago, or damaged, which Expire reports
			continue
		}
		posts = append(posts, message.Of(m))
	}
	if len(posts) == 0 {
		return nil
	}
	slices.SortStableFunc(posts, func(a, b *message.Message) int { return a.Arrived.Compare(b.Arrived) })
	if l.HeldNotice == lists.HeldNoticeDaily {
		if err := s.AwaitSummary(l); err != nil {
			return err
		}
	}
	letters, err := outbox.ToEach(l.ModeratorPaths(), c.ID, func(to smtp.Path, id string) (outbox.Draft, error) {
		return s.summaryTo(to, l, id, posts)
	})
	if err != nil {
		return err
	}
	return s.Letters.For(c).Write(l, letters...)
}

// summaryTo returns the summary for one moderator.
func (s *Desk) summaryTo(to smtp.Path, l *lists.List, id string, posts []*message.Message) (outbox.Draft, error) {
	n := outbox.Draft{
		ID: id, Text: "summary", To: []smtp.Path{to}, At: s.Now(),
		Words: map[string]string{"count": strconv.Itoa(len(posts))},
	}
	link, err := weblink.To(s.Site, l, weblink.Moderate, to.Address(), s.Now())
	if err != nil {
		return n, err
	}
	n.Words["link"] = link
	text, err := letter.Find("summary-post", n.Language(l), l.Dir)
	if err != nil {
		s.Log.Printf(maillog.Warning, "texts list=%s error=%q", l.Addr, err)
	}
	size := int64(0)
	for i, m := range posts {
		words, err := s.summaryWords(l, m, to)
		if err != nil {
			return n, err
		}
		words["number"] = strconv.Itoa(i + 1)
		n.Quote += text.Fill(words) + "\n"
		if size += m.Size; len(n.Attach) == i && i < MaxParts && size <= MaxSize {
			n.Attach = append(n.Attach, m.Message)
		}
	}
	return n, nil
}

// summaryWords returns the words about one post.
func (s *Desk) summaryWords(l *lists.List, m *message.Message, to smtp.Path) (map[string]string, error) {
	h, err := m.Header()
	if err != nil {
		return nil, err
	}
	_, reason, _ := strings.Cut(m.Why, ": ")
	return s.moderation(l, m.Message, h, reason, to)
}

// moderation returns the words of a letter to a moderator about a held post: what it
// is, and the moderator's own addresses for deciding.
func (s *Desk) moderation(l *lists.List, held *queue.Message, h rewrite.Header, reason string, to smtp.Path) (map[string]string, error) {
	words := map[string]string{
		"list": l.Addr.Address(), "reason": letter.UnkeyedWord(reason), "subject": letter.Subject(h.Get("Subject")), "author": people.HeldAuthor(held, h).Address(),
		"expires": held.Arrived.Add(heldpost.Life).UTC().Format(time.DateOnly),
	}
	for word, action := range map[string]confirmation.Action{
		"confirm": confirmation.Publish, "allow": confirmation.AllowAlways, "reject": confirmation.SendBack, "discard": confirmation.Drop, "ban": confirmation.BanAuthor,
	} {
		p, err := l.DecisionAddress(action, held.ID, to, s.Now())
		if err != nil {
			return nil, err
		}
		words[word] = p.Address()
	}
	link, err := weblink.To(s.Site, l, weblink.Moderate, to.Address(), s.Now())
	words["link"] = link
	return words, err
}
