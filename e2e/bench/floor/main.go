// Floor does only what no durable server can leave out: it writes its standard
// input to a file, syncs it, renames it and syncs the directory.
//
//	floor DIR < message
package main

import (
	"io"
	"os"
	"strconv"
	"time"
)

func main() {
	if err := commit(os.Args[1]); err != nil {
		os.Stderr.WriteString("floor: " + err.Error() + "\n")
		os.Exit(1)
	}
	os.Stdout.WriteString("250 2.0.0 queued\r\n")
}

func commit(dir string) error {
	msg, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	name := strconv.FormatInt(time.Now().UnixMicro(), 10) + "." + strconv.Itoa(os.Getpid())
	tmp := dir + "/tmp/" + name
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.Write(msg); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(tmp, dir+"/new/"+name); err != nil {
		return err
	}
	d, err := os.Open(dir + "/new")
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
