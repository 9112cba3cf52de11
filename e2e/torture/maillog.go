package main

import (
	"bytes"
	"errors"
	"net"
	"os"
	"path/filepath"
)

// A mailLog is what postlogd(8) is on other hosts: it reads what the programs of Postfix
// log, and writes it into a file. postlogd is started by master(8), which logs, too, and
// waits for room in the socket as they all do: where a reload has ended postlogd and a
// thousand sessions fill the socket at once, master waits for a reader that only master
// could start, and no mail moves any more.
type mailLog struct {
	conn *net.UnixConn
	file *os.File
	done chan bool
}

// newMailLog reads from a socket, for Postfix's postlog_service_name.
func newMailLog(socket, file string) (*mailLog, error) {
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err == nil {
		err = os.Chmod(socket, 0o666)
	}
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o755)
	}
	if err != nil {
		return nil, err
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	l := &mailLog{conn, f, make(chan bool)}
	go l.run()
	return l, nil
}

func (l *mailLog) run() {
	defer close(l.done)
	line := make([]byte, 64<<10)
	for {
		n, err := l.conn.Read(line)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if n > 0 {
			l.file.Write(append(bytes.TrimRight(line[:n], "\n"), '\n'))
		}
	}
}

func (l *mailLog) close() {
	l.conn.Close()
	<-l.done
	l.file.Close()
}
