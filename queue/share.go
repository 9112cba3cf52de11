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

// Refusals while too much mail waits: of everybody's, between high and low water, and
// of one network's.
var (
	replyFull  = smtp.Reply{Code: 452, Enhanced: "4.3.1", Text: "too much mail is waiting here; please try again later"}
	replyShare = smtp.Reply{Code: 452, Enhanced: "4.3.1", Text: "too much mail from your network is waiting here; please try again later"}
)

// A Share is whose share of the queue a message takes: the network's that it came
// from, as it stands in the message's id and in those of what follows from it. So what
// waits of a network is counted by names, and nothing has to be kept. Ids go out with
// the mail, so it is one of 4096, which does not tell from where that came. Empty:
// nobody's.
type Share string

// ShareOf is the share of a network, in whichever way that is written.
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

// admitOneMore holds the water marks, and the share. That the queue has been over the
// high one is kept as a file, since no process lives to remember it.
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

// waiting are the directories that the water marks count.
var waiting = []string{"inbound/new", "inbound/cur", "outbound/new", "outbound/cur"}

// leastEntry is how many bytes of a directory's size one message takes at
// least. Ids are longer than 32 bytes, and ext4, xfs and btrfs have them in the
// directory; other file systems count one for each name, or more.
func leastEntry(st *unix.Statfs_t) int64 {
	switch st.Type {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC:
		return 32
	case unix.TMPFS_MAGIC, unix.OVERLAYFS_SUPER_MAGIC: // the second says what the disk below it does
		return 20
	}
	return 1
}

// count counts messages that wait, up to limit, and those of a share, up to part.
// While the directories are so small that they cannot hold so many, they need not be
// read; 0 is then as good as the true number.
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
		if st.Size == 0 { // one that does not tell
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
