package trackside

import (
	"context"
	"sync"
	"time"

	pb "github.com/trackside/trackside/clients/go/tracksidev1"
)

// batcher is the queue of events that are not settled, grouped into batches of one call each.
// Programs put events, the sender's goroutines take batches.
type batcher struct {
	options *Options
	room    chan struct{} // has an element for each event that is not settled
	work    chan struct{} // wakes a goroutine that waits in take; has room for one element
	closing chan struct{} // is closed with the batcher

	mutex     sync.Mutex
	batches   []*batch // only the last one grows
	unsettled int
	settled   chan struct{} // is closed while unsettled is 0
	flushes   int           // calls of flush that wait
	closed    bool
}

type batch struct {
	events []*pb.Event
	bytes  int
	due    time.Time
}

func newBatcher(options *Options) *batcher {
	b := &batcher{
		options: options,
		room:    make(chan struct{}, options.QueueEvents),
		work:    make(chan struct{}, 1),
		closing: make(chan struct{}),
		settled: make(chan struct{}),
	}
	close(b.settled)
	return b
}

func (b *batcher) isClosed() bool {
	select {
	case <-b.closing:
		return true
	default:
		return false
	}
}

// put waits for room, then adds the event.
func (b *batcher) put(ctx context.Context, event *pb.Event, size int) error {
	if err := b.waitForRoom(ctx); err != nil {
		return err
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.closed {
		<-b.room
		return ErrClosed
	}
	if !b.fits(size) {
		b.batches = append(b.batches, &batch{due: time.Now().Add(b.options.FlushInterval)})
	}
	last := b.batches[len(b.batches)-1]
	last.events = append(last.events, event)
	last.bytes += size
	if b.unsettled == 0 {
		b.settled = make(chan struct{})
	}
	b.unsettled++
	if len(last.events) == 1 || len(last.events) == b.options.BatchEvents {
		b.wake()
	}
	return nil
}

func (b *batcher) waitForRoom(ctx context.Context) error {
	select {
	case b.room <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(b.options.FullWait)
	defer timer.Stop()
	select {
	case b.room <- struct{}{}:
		return nil
	case <-timer.C:
		return ErrQueueFull
	case <-b.closing:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *batcher) fits(size int) bool {
	if len(b.batches) == 0 {
		return false
	}
	last := b.batches[len(b.batches)-1]
	return len(last.events) < b.options.BatchEvents && last.bytes+size <= b.options.BatchBytes
}

// wake makes a goroutine that waits in take look again.
func (b *batcher) wake() {
	select {
	case b.work <- struct{}{}:
	default: // one will look anyway
	}
}

// take waits for a batch that is due. It returns nil when the batcher is closed and empty.
func (b *batcher) take() []*pb.Event {
	for {
		events, due, isOver := b.next()
		if events != nil || isOver {
			return events
		}
		select {
		case <-b.work:
		case <-due:
		case <-b.closing:
		}
	}
}

// next returns the first batch if it is due, else a channel that tells when it is: nil if there is none.
func (b *batcher) next() (events []*pb.Event, due <-chan time.Time, isOver bool) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if len(b.batches) == 0 {
		return nil, nil, b.closed
	}
	first := b.batches[0]
	isFull := len(b.batches) > 1 || len(first.events) >= b.options.BatchEvents
	wait := time.Until(first.due)
	if !isFull && wait > 0 && b.flushes == 0 && !b.closed {
		return nil, time.After(wait), false
	}
	b.batches[0] = nil
	b.batches = b.batches[1:]
	if len(b.batches) > 0 {
		b.wake() // another goroutine must watch the next batch
	}
	return first.events, nil, false
}

// settle says that a callback was called for so many events.
func (b *batcher) settle(count int) {
	b.mutex.Lock()
	b.unsettled -= count
	if b.unsettled == 0 && count > 0 {
		close(b.settled)
	}
	b.mutex.Unlock()
	for range count {
		<-b.room
	}
}

// flush sends without delay until all events are settled. It returns how many are not after the timeout.
func (b *batcher) flush(timeout time.Duration) int {
	b.mutex.Lock()
	b.flushes++
	settled := b.settled
	b.mutex.Unlock()
	b.wake()

	timer := time.NewTimer(timeout)
	defer timer.Stop()
	left := 0
	select {
	case <-settled:
	case <-timer.C:
	}

	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.flushes--
	select {
	case <-settled: // events that came later are another flush's
	default:
		left = b.unsettled
	}
	return left
}

// close takes no more events. It returns whether the batcher was open.
func (b *batcher) close() bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.closed {
		return false
	}
	b.closed = true
	close(b.closing)
	return true
}
