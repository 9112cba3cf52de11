// Package token makes and checks the proofs in addresses.
//
// A proof is an HMAC-SHA-256 with the list's key over the parts it binds, cut to 80
// bits and encoded in base32hex, in lower case, since local parts get folded. The
// package stores nothing and refuses to say why a proof is wrong.
package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"
)

// bytes is how many bytes of the MAC are kept: 80 bits, as in ezmlm. Guessing one takes
// 2^79 messages.
const bytes = 10

// Len is the length of a proof.
const Len = bytes * 8 / 5

// Make returns the proof for these parts. Each part is bound with its length, so that
// different lists of parts never have the same bytes.
func Make(key []byte, parts ...string) string {
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		mac.Write(size[:])
		mac.Write([]byte(part))
	}
	sum := mac.Sum(nil)
	return base32(sum[:bytes/2]) + base32(sum[bytes/2:bytes])
}

// base32 encodes five bytes as eight digits: RFC 4648, 7, in lower case.
func base32(five []byte) string {
	n := uint64(five[0])<<32 | uint64(binary.BigEndian.Uint32(five[1:]))
	s := strconv.FormatUint(n, 32)
	return strings.Repeat("0", 8-len(s)) + s
}

// Check reports, in constant time, whether proof is the one for these parts.
func Check(key []byte, proof string, parts ...string) bool {
	return hmac.Equal([]byte(strings.ToLower(proof)), []byte(Make(key, parts...)))
}
