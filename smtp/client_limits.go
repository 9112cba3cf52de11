package smtp

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// serverLimits are the limits that a server announces: RFC 9422. 0: not announced.
type serverLimits struct {
	mail   int // transactions on one connection
	rcpt   int // recipients per transaction
	domain int // domains per transaction
}

// parseLimits reads the values of LIMITS. Unknown and invalid ones are ignored.
func parseLimits(args string) (l serverLimits) {
	for word := range strings.FieldsSeq(args) {
		name, value, _ := strings.Cut(word, "=")
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || len(value) > maxLimitDigits || value[0] < '1' {
			continue
		}
		switch upper(name) {
		case "MAILMAX":
			l.mail = n
		case "RCPTMAX":
			l.rcpt = n
		case "RCPTDOMAINMAX":
			l.domain = n
		}
	}
	return l
}

// ErrSpent means that the connection has carried as many messages as the server allows:
// the next one needs another connection.
var ErrSpent = errors.New("smtp: the server takes no more messages on one connection")

// spent reports whether the server has had as many transactions as it allows.
func (c *Client) spent() bool { return c.limits.mail > 0 && c.mails >= c.limits.mail }

// replyTooMany is the outcome for a recipient that has to go into another transaction.
var replyTooMany = Reply{452, "4.5.3", "too many recipients for one transaction"}

// IsTooMany reports whether a recipient was left out because there were too many
// others. The message can be sent to it at once, in a transaction of its own.
func IsTooMany(r Reply) bool {
	return r.Code == replyTooMany.Code && r.Enhanced == replyTooMany.Enhanced
}

// leaveOut settles the recipients beyond the number that the server takes at a time.
func (x *exchange) leaveOut() {
	limits, n := x.c.limits, 0
	domains := make(map[string]bool)
	for i, to := range x.t.To {
		if x.outcome[i].Code != 0 {
			continue
		}
		domain, known := "", true
		if limits.domain > 0 {
			domain = strings.ToLower(to.Domain)
			known = domains[domain]
		}
		if limits.rcpt > 0 && n == limits.rcpt || !known && len(domains) == limits.domain {
			x.outcome[i] = replyTooMany
			continue
		}
		domains[domain] = true
		n++
	}
}

// tooMany returns the reply to RCPT, or replyTooMany if it means that. RFC 821 used 552
// for it, and RFC 5321, 4.5.3.1.10 asks clients to treat that as 452. But 552 is also a
// full mailbox: if the enhanced code does not tell, it means too many only after
// another recipient was accepted.
func (x *exchange) tooMany(r Reply) Reply {
	means := r.Enhanced == "5.5.3" || r.Enhanced == "4.5.3" || r.Enhanced == "" && x.taken > 0
	if (r.Code == 452 || r.Code == 552) && means {
		return Reply{replyTooMany.Code, replyTooMany.Enhanced, r.Text}
	}
	return r
}

// hurry starts the time that a transaction has until its final dot: as much as one
// answer to each command, plus more for many recipients and for a large message.
func (x *exchange) hurry() {
	c := x.c
	c.endAt(c.timeout(atMAIL) + c.timeout(atRCPT) + c.timeout(atDATA) +
		time.Duration(len(x.t.To))*rcptPace + time.Duration(x.t.Size/minSendRate)*time.Second)
}

// hurryFinal starts the time for the answers to the message. The first one has all the
// time that RFC 5321 gives it: hanging up earlier would make the message arrive twice.
func (x *exchange) hurryFinal() {
	x.c.endAt(x.c.timeout(atBDAT) + time.Duration(len(x.t.To))*rcptPace)
}

// endAt ends all reading and writing after d; 0 removes the limit.
func (c *Client) endAt(d time.Duration) {
	end := time.Time{}
	if d > 0 {
		end = c.wire.clock().Add(d)
	}
	c.side.mu.Lock() // the side reads it, too
	c.wire.end = end
	c.side.mu.Unlock()
}
