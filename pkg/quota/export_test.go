package quota

import "context"

// ReserveTogether makes reservations in one transaction, as concurrent callers do. It reports for each whether it was made,
// and whether it was refused together with others and is to be tried alone.
func (q *Quota) ReserveTogether(ctx context.Context, requests []Request) (made []Reservation, reserved, again []bool, err error) {
	batch := make([]*request, len(requests))
	for i, r := range requests {
		batch[i] = newRequest(r)
	}
	sorted := append([]*request(nil), batch...)
	err = q.write(ctx, sorted)
	for _, r := range batch {
		made, reserved, again = append(made, r.made), append(reserved, r.reserved), append(again, r.joined)
	}
	return made, reserved, again, err
}
