package lists

import (
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"superlist/queue/disk"
	"superlist/smtp"
)

const (
	// aheadAtOnce is how many lists ReadAhead reads at a time: a disk does that many
	// small reads in little more than the time of one.
	aheadAtOnce = 16
	// aheadBytes is how much of each file it reads: all of a list.toml, and of a large
	// members file what a look-up needs is elsewhere.
	aheadBytes = 64 << 10
)

// ReadAhead has the kernel read the small files of all lists, several at a time, for
// somebody who is about to open them in turn and would wait for the disk 10,000 times.
// It ends by itself, or with stop.
func (s Directory) ReadAhead() (stop func()) {
	dirs, done := make(chan string), make(chan struct{})
	go func() {
		defer close(dirs)
		domains, _ := os.ReadDir(s.Root) // who opens the lists hears of errors
		for _, domain := range domains {
			if !domain.IsDir() || !smtp.ValidDomain(domain.Name()) {
				continue
			}
			names, _ := os.ReadDir(filepath.Join(s.Root, domain.Name()))
			for _, name := range names {
				if !name.IsDir() {
					continue
				}
				select {
				case dirs <- filepath.Join(s.Root, domain.Name(), name.Name()):
				case <-done:
					return
				}
			}
		}
	}()
	for range aheadAtOnce {
		go func() {
			for dir := range dirs {
				for _, file := range []string{"list.toml", "members"} {
					disk.ReadRegular(filepath.Join(dir, file), unix.O_RDONLY, aheadBytes)
				}
			}
		}()
	}
	return sync.OnceFunc(func() { close(done) })
}
