package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"superlist/cmd/superlist/postfix"
	"superlist/lists"
	"superlist/lists/bounces"
	"superlist/smtp"
)

// manyBounce is from how many unreachable members on check warns, and manyPart the
// fraction of all members that they must be.
const (
	manyBounce = 5
	manyPart   = 10
)

// bounces checks how many members cannot be reached, and whether owners can.
func (k *checker) bounces(l *lists.List) {
	about := l.Addr.Address()
	views, err := bounceViews(l, time.Now())
	if err != nil {
		k.warn(about, err.Error(), k.mend(err, l.Dir))
		return
	}
	n := 0
	runs := make(map[string]bounces.View)
	for _, p := range slices.Concat(l.OwnerPaths(), l.ModeratorPaths()) {
		runs[p.Key()] = bounces.View{}
	}
	for _, v := range views {
		if v.State != bounces.Gone && v.State != bounces.Unreached {
			n++
		}
		p, ok := smtp.ParseAddress(v.Address)
		if _, one := runs[p.Key()]; ok && one && (v.State == bounces.Unreached || v.State == bounces.Away) {
			runs[p.Key()] = v
		}
	}
	gone := []string{}
	for _, v := range runs {
		if v.Address != "" {
			gone = append(gone, v.Address)
		}
	}
	slices.Sort(gone)
	for _, address := range gone {
		k.warn(about, address+" runs or moderates the list, and mail to it comes back", "superlist bounce show "+about+" "+address+"; superlist list set "+about+" owners=…")
	}
	if of, err := l.CountMembers(); err == nil && n >= manyBounce && n*manyPart >= of {
		k.warn(about, fmt.Sprintf("mail to %d of %d members comes back", n, of), "superlist bounce ls "+about+" says why")
	}
}

// words checks the rows that the site adds to what hosts write.
func (k *checker) words() {
	if _, err := bounces.Words(k.site); err != nil {
		k.wrong("bounces", err.Error(), "mend it; until then reports are read without what it says")
	}
}

// reportsCome asks Postfix whether it accepts a delivery report for a list, at an
// address that only that list can have made.
func (k *checker) reportsCome(door postfix.Service, list smtp.Path) error {
	l, err := lists.Of(k.site).Open(list)
	if err != nil {
		return nil // reported elsewhere
	}
	if _, err := os.Stat(l.Dir + "/key"); err != nil { // otherwise one would be made
		return nil
	}
	from, err := l.BounceAddress(time.Now())
	if err != nil {
		return nil
	}
	from = smtp.VERPAddress(from, smtp.Path{Local: "postmaster", Domain: list.Domain})
	if err := k.frontDoor(door, from); err != nil {
		local, _, _ := strings.Cut(from.Local, "-")
		return fmt.Errorf("RCPT TO:<%s-…@%s> at %s: %v", local, list.Domain, door.Address(), err)
	}
	return nil
}
