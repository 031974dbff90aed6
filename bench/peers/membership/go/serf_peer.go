package main

import (
	"io"

	"github.com/hashicorp/serf/serf"
)

func tell(event serf.Event) {
	switch what := event.(type) {
	case serf.UserEvent:
		report("event", string(what.Payload))
	case serf.MemberEvent:
		kind := map[serf.EventType]string{
			serf.EventMemberJoin:   "joined",
			serf.EventMemberFailed: "failed",
			serf.EventMemberLeave:  "left",
		}[what.Type]
		if kind == "" {
			return
		}
		for _, member := range what.Members {
			report(kind, member.Name)
		}
	}
}

func main() {
	name, address, port := place()
	events := make(chan serf.Event, 4096)
	config := serf.DefaultConfig()
	config.Init()
	config.NodeName = name
	config.MemberlistConfig.BindAddr = address
	config.MemberlistConfig.BindPort = port
	config.LogOutput = io.Discard
	config.MemberlistConfig.LogOutput = io.Discard
	config.EventCh = events
	self, err := serf.Create(config)
	if err != nil {
		fail(err)
	}
	go func() {
		for event := range events {
			tell(event)
		}
	}()
	report("ready", "")
	obey(map[string]func(string) error{
		"join": func(seed string) error {
			_, err := self.Join([]string{seed}, true)
			return err
		},
		"event": func(payload string) error { return self.UserEvent("bench", []byte(payload), false) },
		"leave": func(string) error {
			err := self.Leave()
			report("gone", "")
			return err
		},
	})
}
