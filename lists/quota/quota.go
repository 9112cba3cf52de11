// Package quota decides how much lists do for people who have proved nothing: letters
// to them, old posts, mail to owners, posts that wait for moderators. So nobody can
// make a list write to a stranger again and again, or fill what its owners and
// moderators read.
//
// A session asks whether something is allowed (May…), which changes nothing. Deliver
// counts it, and refuses if there has been too much since, because many sessions
// accepted something at once. A crash can only lose a count, or count something twice.
package quota

import (
	"net/netip"
	"time"

	"superlist/lists/ledger"
	"superlist/smtp"
)

// A List says where a list counts, and where all lists of its site count together.
type List struct{ Own, Site ledger.Book }

// A Writer is the part of a ledger.Writer that counting needs.
type Writer interface {
	Count(limits []ledger.Limit, n int, now time.Time) error
	Uncount(counters []ledger.Counter, at time.Time) error
	First(b ledger.Book, s ledger.Shelf, r ledger.Record, limits ...ledger.Limit) (ledger.Record, error)
	Forget(b ledger.Book, s ledger.Shelf, name string) error
	Remember(b ledger.Book, s ledger.Shelf, name string, now time.Time, text func(ledger.Record, bool) (string, error)) error
}

// counter returns one of the book's counters.
func counter(b ledger.Book, name string, window time.Duration, of string) ledger.Counter {
	return ledger.Counter{Book: b, Shelf: ledger.Counts, Name: name, Window: window, Of: of}
}

// Network returns the network that a client counts towards: the /24 of an IPv4 address,
// the /64 of an IPv6 one. It is zero for this host itself, which passes on everybody's
// mail.
func Network(client netip.Addr) netip.Prefix {
	client = client.Unmap()
	if !client.IsValid() || client.IsLoopback() {
		return netip.Prefix{}
	}
	bits := 64
	if client.Is4() {
		bits = 24
	}
	p, _ := client.WithZone("").Prefix(bits)
	return p
}

// Customer returns the network that is assigned to one customer: for IPv6 a /48, which
// contains 65,536 of Network; for IPv4 only the /24.
func Customer(n netip.Prefix) netip.Prefix {
	if !n.IsValid() || n.Addr().Is4() {
		return n
	}
	p, _ := n.Addr().Prefix(48)
	return p
}

// ofNetwork returns the limits of a client's network, and of the larger one that the
// same customer may have; none if the network is unknown. more follows the window in
// their names.
func ofNetwork(b ledger.Book, name string, window time.Duration, more string, n netip.Prefix, most, mostOfCustomer int64, full smtp.Reply) []ledger.Limit {
	if !n.IsValid() {
		return nil
	}
	of := func(p netip.Prefix, most int64) ledger.Limit {
		return ledger.Limit{Counter: counter(b, name, window, more+ledger.Hash(p.String())), Most: most, Full: full}
	}
	limits := []ledger.Limit{of(n, most)}
	if c := Customer(n); c != n {
		limits = append(limits, of(c, mostOfCustomer))
	}
	return limits
}
