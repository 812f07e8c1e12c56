/** What a client's callbacks were told. */
import type { Event, Lost, Options, Refused } from "@trackside/client";

export class Told {
  accepted: string[] = [];
  duplicates: string[] = [];
  refused: Refused[] = [];
  lost: Lost[] = [];

  readonly callbacks: Options = {
    onAccepted: ({ messageId }: Event, duplicate: boolean) => {
      (duplicate ? this.duplicates : this.accepted).push(messageId);
    },
    onRefused: (refused) => this.refused.push(refused),
    onLost: (lost) => this.lost.push(lost),
  };

  get count(): number {
    return this.accepted.length + this.duplicates.length + this.refused.length + this.lost.length;
  }
}
