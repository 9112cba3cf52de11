// Package cluster holds that several hosts with the same lists do what one would: three,
// each with a Postfix, share lists by way of a PostgreSQL while hosts are killed, the
// database goes away, the network is cut and a clock is wrong. It is for tests only:
//
//	make test-cluster
package cluster
