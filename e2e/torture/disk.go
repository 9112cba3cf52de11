package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// smallDisk is a tmpfs that all acts fit on, besides what sessions want to be free.
const smallDisk = "size=64m,nr_inodes=3000,mode=0755"

func mount(dir, options string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	return os.NewSyscallError("mount", unix.Mount("tmpfs", dir, "tmpfs", 0, options))
}

// remove removes a place, with the disk that it may be on.
func (p *place) remove() {
	unix.Unmount(p.dir, unix.MNT_DETACH)
	os.RemoveAll(p.dir)
}

// onDisk is what a file system really does, to programs that it does not know of.
func onDisk(t *torture, r *result, until time.Time) error {
	if os.Geteuid() != 0 {
		r.Skipped = "it needs root, to mount"
		return nil
	}
	s, err := t.scenes()
	if err != nil {
		return err
	}
	ways := []way{readOnly, full("no inode is left", takeInodes)}
	for _, blocks := range []int64{0, 1, 3} {
		ways = append(ways, full(fmt.Sprintf("%d blocks are left", blocks), func(fill string) error { return takeBlocks(fill, blocks) }))
	}
	t.interrupt(r, s, ways, until)
	return nil
}

// full is a disk that is filled right before a change, and has room again the next day.
func full(name string, take func(fill string) error) way {
	fill := func(p *place) string { return filepath.Join(p.dir, ".fill") }
	return way{name: name, disk: smallDisk,
		set: func(tr *trace, p *place, n int) {
			from(tr, p, n, func() bool { return take(fill(p)) == nil })
		},
		over: func(p *place) error { return os.RemoveAll(fill(p)) },
	}
}

// from does something before the nth change, or before one after it, until it says that
// it is done.
func from(tr *trace, p *place, n int, do func() (done bool)) {
	var mu sync.Mutex
	now, done := 0, false
	tr.enter = func(c *call) verdict {
		if _, ok := changeOf(c, p.dir); !ok {
			return verdict{}
		}
		mu.Lock()
		defer mu.Unlock()
		if now++; now > n && !done {
			done = do()
		}
		return verdict{}
	}
}

// takeBlocks leaves so many blocks of a tmpfs.
func takeBlocks(fill string, leave int64) error {
	f, err := os.Create(fill)
	if err != nil {
		return err
	}
	defer f.Close()
	size, block := int64(0), make([]byte, 1<<16)
	for {
		n, err := f.Write(block)
		size += int64(n)
		if errors.Is(err, unix.ENOSPC) && len(block) == 1<<16 {
			block = block[:os.Getpagesize()]
		} else if errors.Is(err, unix.ENOSPC) {
			return f.Truncate(max(0, size-leave*int64(os.Getpagesize())))
		} else if err != nil {
			return err
		}
	}
}

// takeInodes leaves none.
func takeInodes(fill string) error {
	if err := os.Mkdir(fill, 0o700); err != nil {
		return err
	}
	for i := 0; ; i++ {
		f, err := os.Create(filepath.Join(fill, fmt.Sprint(i)))
		if errors.Is(err, unix.ENOSPC) {
			return nil
		}
		if err != nil {
			return err
		}
		f.Close()
	}
}

// readOnly is a disk that nobody may write to any more. Linux does not do so while a file
// is open to be written: then it comes after that one.
var readOnly = way{name: "remounted read-only", disk: smallDisk,
	set: func(tr *trace, p *place, n int) {
		from(tr, p, n, func() bool { return unix.Mount("", p.dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, "") == nil })
	},
	over: func(p *place) error {
		return os.NewSyscallError("mount", unix.Mount("", p.dir, "", unix.MS_REMOUNT, ""))
	},
}
