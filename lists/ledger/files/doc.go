// Package files writes the records that package ledger reads. It is the Writer of a
// site with one host. Programs that serve clients do not link it.
//
// Package ledger documents the crash states.
package files
