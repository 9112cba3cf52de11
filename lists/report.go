package lists

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"superlist/queue/disk"
	"superlist/smtp"
)

const (
	// reportAge is how long a list keeps a delivery report.
	reportAge = 30 * 24 * time.Hour
	// maxReport is how much of one is kept: the part that says what happened
	// stands in front of the returned message.
	maxReport = 64 << 10
	// MaxReports is how many reports a list keeps: one for each of ten thousand
	// members. Who has got one message of the list's can write as many as he
	// likes.
	MaxReports = 10000
)

// KeepReport keeps a delivery report in the list's bounces directory, under an
// id that makes doing it twice the same as doing it once. member is null where the
// report's address did not say whose it is.
func (l *List) KeepReport(id string, member smtp.Path, report io.Reader) error {
	dir := filepath.Join(l.Dir, "bounces")
	if err := l.Disk.MakeDir(dir); err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "X-Superlist-Member: %s\r\n", member)
	if _, err := io.Copy(&b, io.LimitReader(report, maxReport)); err != nil {
		return err
	}
	return l.Disk.Replace(filepath.Join(dir, id), []byte(b.String()))
}

// SweepReports removes the reports that are older than reportAge, and says how
// many more there may be.
func (l *List) SweepReports(now time.Time) (room int) {
	dir := filepath.Join(l.Dir, "bounces")
	entries, _ := os.ReadDir(dir) // none: nothing to sweep
	room = MaxReports
	for _, e := range entries {
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > reportAge {
			disk.Discard(filepath.Join(dir, e.Name()))
		} else {
			room--
		}
	}
	return room
}
