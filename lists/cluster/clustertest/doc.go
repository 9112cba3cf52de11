// Package clustertest is for tests of what changes the files that hosts share: a disk that
// is strict about it, hosts, and a database in a file. What a host does with its own files
// needs no PostgreSQL to be tested, whatever call fails.
package clustertest
