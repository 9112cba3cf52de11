package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Limits of a request. Postfix 3.10 sends 32 attributes, and cuts values at
// line_length_limit, 2048 bytes.
const (
	maxLine       = 8 << 10
	maxAttributes = 100
)

// A request holds what smtpd(8) sends, by the names of SMTPD_POLICY_README. An
// attribute that is empty or missing is "".
type request map[string]string

// known are the attributes that are used. The protocol may get others, which are
// ignored.
var known = []string{
	"request", "protocol_state", "protocol_name", "helo_name", "queue_id", "sender", "recipient", "size",
	"client_address", "client_port", "client_name", "reverse_client_name", "sasl_username",
	"encryption_protocol", "encryption_cipher",
}

// Errors about input that is not a request. It does not come from Postfix, and gets no
// answer.
var (
	errLine   = fmt.Errorf("a line has more than %d bytes", maxLine)
	errMany   = fmt.Errorf("a request has more than %d attributes", maxAttributes)
	errNUL    = errors.New("a line has a NUL")
	errForm   = errors.New("a line is not name=value")
	errTwice  = errors.New("an attribute comes twice")
	errWanted = errors.New("it is not request=smtpd_access_policy")
)

// newReader returns a reader for requests.
func newReader(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, maxLine+len("\n")) }

// readRequest reads one request, up to the empty line after it. The error is io.EOF if
// there are no more.
func readRequest(br *bufio.Reader) (request, error) {
	q := make(request, len(known))
	for n := 0; ; n++ {
		line, err := br.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, errLine
		case err == io.EOF && (n > 0 || len(line) > 0):
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		}
		text := string(line[:len(line)-len("\n")])
		if text == "" {
			break
		}
		if n == maxAttributes {
			return nil, errMany
		}
		name, value, ok := strings.Cut(text, "=")
		_, before := q[name]
		switch {
		case !ok || name == "":
			return nil, errForm
		case strings.Contains(text, "\x00"):
			return nil, errNUL
		case before:
			return nil, errTwice
		case slices.Contains(known, name):
			q[name] = value
		}
	}
	if q["request"] != "smtpd_access_policy" {
		return nil, errWanted
	}
	return q, nil
}
