package main

import (
	"io"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// A node of memberlist, which gossips what its user hands it but knows no user events: they are sent on by those that
// had not seen them, over its own queue, as its documentation proposes and Serf does.
type node struct {
	list  *memberlist.Memberlist
	queue *memberlist.TransmitLimitedQueue
	mutex sync.Mutex
	seen  map[string]bool
}

type broadcast string

func (b broadcast) Invalidates(memberlist.Broadcast) bool { return false }
func (b broadcast) Message() []byte                       { return []byte(b) }
func (b broadcast) Finished()                             {}

func (n *node) first(payload string) bool {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if n.seen[payload] {
		return false
	}
	n.seen[payload] = true
	return true
}

func (n *node) NodeMeta(int) []byte { return nil }
func (n *node) NotifyMsg(message []byte) {
	if payload := string(message); n.first(payload) {
		report("event", payload)
		n.queue.QueueBroadcast(broadcast(payload))
	}
}
func (n *node) GetBroadcasts(overhead, limit int) [][]byte {
	return n.queue.GetBroadcasts(overhead, limit)
}
func (n *node) LocalState(bool) []byte        { return nil }
func (n *node) MergeRemoteState([]byte, bool) {}

func (n *node) NotifyJoin(of *memberlist.Node)   { report("joined", of.Name) }
func (n *node) NotifyUpdate(of *memberlist.Node) {}

// Of one that left as well: this version does not tell which it was.
func (n *node) NotifyLeave(of *memberlist.Node) { report("failed", of.Name) }

func main() {
	name, address, port := place()
	config := memberlist.DefaultLANConfig()
	config.Name = name
	config.BindAddr = address
	config.BindPort = port
	config.LogOutput = io.Discard

	self := &node{seen: map[string]bool{}}
	self.queue = &memberlist.TransmitLimitedQueue{
		NumNodes:       func() int { return self.list.NumMembers() },
		RetransmitMult: config.RetransmitMult,
	}
	config.Delegate = self
	config.Events = self
	// The queue is asked for broadcasts as soon as there is somebody to gossip to, which is after this.
	list, err := memberlist.Create(config)
	if err != nil {
		fail(err)
	}
	self.list = list
	report("ready", "")
	obey(map[string]func(string) error{
		"join": func(seed string) error {
			_, err := list.Join([]string{seed})
			return err
		},
		"event": func(payload string) error {
			self.first(payload)
			self.queue.QueueBroadcast(broadcast(payload))
			return nil
		},
		"leave": func(string) error {
			err := list.Leave(5 * time.Second)
			report("gone", "")
			return err
		},
	})
}
