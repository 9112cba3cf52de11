package account

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"superlist/lists/quota"
	"superlist/queue/disk"
	"superlist/smtp"
)

const (
	// MaxFailures is how many failed log-ins a network may have before the next attempt
	// is refused unheard. Ten people in one office may mistype at the same time;
	// somebody who guesses gets a few hundred attempts a day and not millions.
	MaxFailures = 30
	// FailureDecay is how long it takes until one failure is forgotten.
	FailureDecay = 5 * time.Minute
)

// The file of failures is a head with the site's secret, and a table of slots. A
// network uses one of the slots of its bucket: its own, or the one that would be
// forgotten first. So the file always has the same size, and need not be swept.
const (
	failuresHead = "superlist-failures 1\n"
	secretSize   = 32
	headSize     = 64
	slotSize     = 16 // network uint64, seconds until forgotten uint64
	bucketSlots  = 8
	buckets      = 512
	failuresSize = headSize + buckets*bucketSlots*slotSize // 64 KiB
)

// Failures counts failed log-ins by network, in a file that all sessions share. A slot
// has one number: the time when all failures of the network are forgotten. Each failure
// moves it on by FailureDecay.
type Failures struct {
	file   *disk.File
	secret []byte
	now    func() time.Time
}

// openFailures opens the file, or creates it.
func openFailures(path string) (*Failures, error) {
	var d *disk.Disk // no fault matters: a crash loses only a count
	f, _, err := d.Change(path)
	if errors.Is(err, os.ErrNotExist) {
		f, err = d.Keep(path)
	}
	if err != nil {
		return nil, err
	}
	t := &Failures{file: f, now: time.Now}
	if err := t.begin(); err != nil {
		f.Close()
		return nil, err
	}
	return t, nil
}

// begin reads the secret. A file that is new, or that a crash left without a head, gets
// one.
func (t *Failures) begin() error {
	unlock, err := t.file.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	head := make([]byte, headSize)
	n, _ := t.file.ReadAt(head, 0)
	if n < headSize || string(head[:len(failuresHead)]) != failuresHead {
		clear(head)
		copy(head, failuresHead)
		rand.Read(head[headSize-secretSize:])
		if err := t.file.Truncate(0); err != nil {
			return err
		}
		if _, err := t.file.WriteAt(head, 0); err != nil {
			return err
		}
	}
	t.secret = head[headSize-secretSize:]
	return t.file.Truncate(failuresSize)
}

func (t *Failures) close() error { return t.file.Close() }

// take counts a peer's attempt as failed before it is made, so that simultaneous
// attempts gain nothing. give takes it back if it did not fail. An error is a refusal,
// or a fault.
func (t *Failures) take(p smtp.Peer) (give func(), err error) {
	net := quota.Network(p.Addr.Addr())
	if !net.IsValid() { // a pipe, a Unix socket, or this host, where many people are one client
		return func() {}, nil
	}
	now := t.now()
	err = t.change(net, func(until time.Time) (time.Time, error) {
		if until.Before(now) {
			until = now
		}
		if most := now.Add(MaxFailures * FailureDecay); until.After(most) { // the clock went back
			until = most
		}
		if next := until.Add(FailureDecay); next.Sub(now) <= MaxFailures*FailureDecay {
			return next, nil
		}
		wait := until.Add(FailureDecay).Sub(now) - MaxFailures*FailureDecay
		return until, smtp.Reply{Code: 454, Enhanced: "4.7.0", Text: fmt.Sprintf(
			"too many failed log-ins from your network; please try again in %d minutes", int(wait/time.Minute)+1)}
	})
	if err != nil {
		return nil, err
	}
	return func() {
		t.change(net, func(until time.Time) (time.Time, error) { return until.Add(-FailureDecay), nil })
	}, nil
}

// change changes the slot of a network, under the lock.
func (t *Failures) change(net netip.Prefix, change func(until time.Time) (time.Time, error)) error {
	unlock, err := t.file.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	sum := mac(t.secret, net.String()) // so that nobody can choose whom to push out of a bucket
	id := binary.BigEndian.Uint64(sum) | 1
	at := int64(headSize + int(binary.BigEndian.Uint16(sum[8:])%buckets)*bucketSlots*slotSize)
	bucket := make([]byte, bucketSlots*slotSize)
	if _, err := t.file.ReadAt(bucket, at); err != nil {
		return err
	}
	slot := -1
	oldest := 0
	moment := func(i int) uint64 { return binary.BigEndian.Uint64(bucket[i*slotSize+8:]) }
	for i := range bucketSlots {
		if binary.BigEndian.Uint64(bucket[i*slotSize:]) == id {
			slot = i
		}
		if moment(i) < moment(oldest) {
			oldest = i
		}
	}
	var until time.Time
	if slot >= 0 {
		until = time.Unix(int64(min(moment(slot), 1<<40)), 0)
	} else {
		slot = oldest
	}
	until, err = change(until)
	if err != nil {
		return err
	}
	binary.BigEndian.PutUint64(bucket[slot*slotSize:], id)
	binary.BigEndian.PutUint64(bucket[slot*slotSize+8:], uint64(max(until.Unix(), 0)))
	_, err = t.file.WriteAt(bucket[slot*slotSize:(slot+1)*slotSize], at+int64(slot*slotSize))
	return err
}
