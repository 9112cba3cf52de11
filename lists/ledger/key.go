package ledger

import "path/filepath"

// KeyBytes is the length of a list's secret: that of HMAC-SHA-256's output.
const KeyBytes = 32

// KeyFile returns the file with the secret for a list's proofs, in hexadecimal digits.
func (b Book) KeyFile() string { return filepath.Join(b.Dir, "key") }
