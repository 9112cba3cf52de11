package main

import (
	"bufio"
	"io"
	"net"
	"strings"

	"golang.org/x/sys/unix"
)

// front stands before smtp-sink and adds one line to its answer to EHLO: that
// it knows XVERP. smtp-sink takes the parameter but does not say so, and
// superlist does not send what was not offered. Every other byte passes as it
// is, for all contenders alike.
type front struct {
	sink
	l net.Listener
}

func newFront(behind sink) (*front, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &front{sink: behind, l: l}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go f.serve(c)
		}
	}()
	return f, nil
}

func (f *front) address() string { return f.l.Addr().String() }

func (f *front) stop() {
	f.l.Close()
	f.sink.stop()
}

func (f *front) serve(client net.Conn) {
	defer client.Close()
	likePostfix(client)
	server, err := net.Dial("tcp", f.sink.address())
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		io.Copy(server, client)
		server.(*net.TCPConn).CloseWrite()
	}()
	replies := bufio.NewReader(prompt{server.(*net.TCPConn)})
	for {
		line, err := replies.ReadString('\n')
		if err != nil {
			return
		}
		offers := strings.HasPrefix(line, "250-")
		if offers {
			line += "250-XVERP\r\n"
		}
		if _, err := io.WriteString(client, line); err != nil {
			return
		}
		if offers {
			break
		}
	}
	io.Copy(client, replies)
}

// likePostfix leaves Nagle's algorithm on, which Go switches off and Postfix
// does not: a client that is slow to acknowledge replies waits for them.
func likePostfix(c net.Conn) {
	c.(*net.TCPConn).SetNoDelay(false)
}

// prompt acknowledges what it has read at once, so that such waiting is the
// client's and not the front's.
type prompt struct{ conn *net.TCPConn }

func (p prompt) Read(buf []byte) (int, error) {
	n, err := p.conn.Read(buf)
	if raw, err := p.conn.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) })
	}
	return n, err
}
