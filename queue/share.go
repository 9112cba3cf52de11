package queue

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"superlist/queue/disk"
	"superlist/smtp"
)

// Refusals while too much mail waits: for everybody between the water marks, or for one
// network.
var (
	replyFull  = smtp.Reply{Code: 452, Enhanced: "4.3.1", Text: "too much mail is waiting here; please try again later"}
	replyShare = smtp.Reply{Code: 452, Enhanced: "4.3.1", Text: "too much mail from your network is waiting here; please try again later"}
)

// A Share identifies the network that a message came from, and counts its part of the
// queue. It stands in the message's id and in the ids of messages that follow from it,
// so a network's waiting messages are counted by name, and nothing else need be stored.
// Since ids go out with the mail, it is one of only 4096 values, and does not reveal
// the network. Empty: no network.
type Share string

// ShareOf returns the share of a network, in any notation.
func ShareOf(network string) Share {
	if network == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(network))
	return Share("N" + hex.EncodeToString(sum[:2])[:3])
}

// shares is how many networks it takes to fill the queue.
const shares = 10

// fullMark is a file in tmp, where every session may write.
const fullMark = "full"

// admitOneMore enforces the water marks and the share. A file records that the queue
// has exceeded the high mark, since no process lives long enough to remember it.
func (s *Spool) admitOneMore(share Share, least int64) error {
	if s.MaxMessages <= 0 {
		return nil
	}
	mark := s.path("tmp", fullMark)
	limit := s.MaxMessages
	_, err := os.Lstat(mark)
	full := err == nil
	if full {
		limit = s.MinMessages
	}
	part := 0
	if share != "" {
		part = max(1, s.MaxMessages/shares)
	}
	n, mine, err := s.count(limit, part, share, least)
	switch {
	case err != nil:
		return err
	case n >= limit:
		if !full {
			if f, err := s.Disk.Keep(mark); err == nil {
				f.Close()
			}
		}
		return fmt.Errorf("%d messages wait: %w", n, replyFull)
	case full:
		disk.Discard(mark)
	}
	if part > 0 && mine >= part {
		return fmt.Errorf("%d messages wait from one network: %w", mine, replyShare)
	}
	return nil
}

// waiting lists the directories that the water marks count.
var waiting = []string{"inbound/new", "inbound/cur", "outbound/new", "outbound/cur"}

// leastEntry returns how many bytes of a directory's size a message takes at least. Ids
// are longer than 32 bytes, and ext4, xfs and btrfs store them in the directory. Other
// file systems count at least one byte for each name.
func leastEntry(st *unix.Statfs_t) int64 {
	switch st.Type {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC:
		return 32
	case unix.TMPFS_MAGIC, unix.OVERLAYFS_SUPER_MAGIC: // the second reports what the disk below it does
		return 20
	}
	return 1
}

// count counts waiting messages, up to limit, and those of a share, up to part. If the
// directories are too small to hold that many it does not read them; 0 then serves as
// well as the true number.
func (s *Spool) count(limit, part int, share Share, least int64) (n, mine int, err error) {
	size, few := int64(0), limit
	if part > 0 {
		few = min(limit, part)
	}
	for _, dir := range waiting {
		var st unix.Stat_t
		if err := unix.Stat(s.path(dir), &st); err != nil {
			return 0, 0, fmt.Errorf("stat %s: %w", s.path(dir), err)
		}
		if st.Size == 0 { // it does not tell
			st.Size = int64(limit) * least
		}
		size += st.Size
	}
	if size < int64(few)*least {
		return 0, 0, nil
	}
	for _, dir := range waiting {
		d, err := os.Open(s.path(dir))
		if err != nil {
			return 0, 0, err
		}
		for n < limit && (part == 0 || mine < part) {
			names, err := d.Readdirnames(256)
			n += len(names)
			for _, name := range names {
				if share != "" && strings.Contains(name, string(share)+".") {
					mine++
				}
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				d.Close()
				return 0, 0, err
			}
		}
		d.Close()
	}
	return n, mine, nil
}
