package smtp

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// serverLimits is what a server says that it takes: RFC 9422. 0: it does not say.
type serverLimits struct {
	mail   int // transactions on one connection
	rcpt   int // recipients of one
	domain int // domains of these
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

// ErrSpent is a connection that has carried all the messages that the server takes
// on one: the next message needs another.
var ErrSpent = errors.New("smtp: the server takes no more messages on one connection")

// spent reports whether the server has had all the transactions that it wants.
func (c *Client) spent() bool { return c.limits.mail > 0 && c.mails >= c.limits.mail }

// replyTooMany is the outcome of a recipient that another transaction has to take.
var replyTooMany = Reply{452, "4.5.3", "too many recipients for one transaction"}

// IsTooMany reports whether a recipient was left out because there were too many beside
// it: it can be sent the message at once, in a transaction of its own.
func IsTooMany(r Reply) bool {
	return r.Code == replyTooMany.Code && r.Enhanced == replyTooMany.Enhanced
}

// leaveOut settles the recipients that are more than the server takes at a time.
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

// tooMany is a reply to RCPT, or replyTooMany where that is what it means. RFC 821
// had 552 for it, and RFC 5321, 4.5.3.1.10 asks to take that for 452. It is also a
// mailbox that is full: where the enhanced code does not tell the two apart a
// recipient that was taken before does.
func (x *exchange) tooMany(r Reply) Reply {
	means := r.Enhanced == "5.5.3" || r.Enhanced == "4.5.3" || r.Enhanced == "" && x.taken > 0
	if (r.Code == 452 || r.Code == 552) && means {
		return Reply{replyTooMany.Code, replyTooMany.Enhanced, r.Text}
	}
	return r
}

// hurry begins the time that a transaction has until its final dot: that of one
// answer to each command, and more where there are many recipients or there is much
// to send.
func (x *exchange) hurry() {
	c := x.c
	c.endAt(c.timeout(atMAIL) + c.timeout(atRCPT) + c.timeout(atDATA) +
		time.Duration(len(x.t.To))*rcptPace + time.Duration(x.t.Size/minSendRate)*time.Second)
}

// hurryFinal begins the time that the answers to the message have. The first has all
// that RFC 5321 gives it: who hangs up before has the message come twice.
func (x *exchange) hurryFinal() {
	x.c.endAt(x.c.timeout(atBDAT) + time.Duration(len(x.t.To))*rcptPace)
}

// endAt ends all reading and writing after so much time; 0: it goes on.
func (c *Client) endAt(d time.Duration) {
	end := time.Time{}
	if d > 0 {
		end = c.wire.clock().Add(d)
	}
	c.side.mu.Lock() // which reads it, too
	c.wire.end = end
	c.side.mu.Unlock()
}
