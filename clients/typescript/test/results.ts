/** What a client's callbacks received. */
import type { Event, Lost, Options, Refusal } from "@trackside/client";

export class Results {
  accepted: string[] = [];
  duplicates: string[] = [];
  refused: { event: Event; why: Refusal }[] = [];
  lost: { event: Event; why: Lost }[] = [];

  readonly callbacks: Options = {
    onAccepted: ({ messageId }: Event, duplicate: boolean) => {
      (duplicate ? this.duplicates : this.accepted).push(messageId);
    },
    onRefused: (event, why) => this.refused.push({ event, why }),
    onLost: (event, why) => this.lost.push({ event, why }),
  };

  get count(): number {
    return this.accepted.length + this.duplicates.length + this.refused.length + this.lost.length;
  }
}
