/** Creates the response to an admitted request, and records it. */
import { stringify } from "lossless-json";
import type { Clock } from "../core/clock.ts";
import { publicAccount } from "../core/domain.ts";
import { type AccountState, emptyState } from "./account/account-state.ts";
import type { Bill } from "./account/bill.ts";
import { type Life, simulateAccount } from "./account/simulate-account.ts";
import type { SimulatedSubAccount } from "./account/statement.ts";
import type { ServedResponse } from "./api/endpoint.ts";
import type { Fault } from "./faults.ts";
import { type Admitted, type SimulatedAccount, userOf } from "./gateway.ts";
import { editList, ListFaults, withoutCursor } from "./list-faults.ts";
import { createMarket } from "./market/market.ts";
import { hashText } from "./market/random.ts";
import { allReadPermissions } from "./permissions.ts";
import type { Plan } from "./plan/plan.ts";
import { type ServedSnapshot, type TrueEntry, trueEntry } from "./record.ts";
import { catchRefusal, Refusal } from "./refusal.ts";
import type { HttpResponse } from "./send.ts";

export interface Exchange {
  record: ServedSnapshot[];
  bills: Bill[];
  listFaults: ListFaults;
  /** Returns the ledgers of an account in its mode, oldest entries first. */
  ledgerOf(account: SimulatedAccount): TrueEntry[];
  /** Returns the exchange's time. Epoch ms. */
  now(): number;
  respond(request: Admitted, fault: Fault | null): HttpResponse;
  refuse(refusal: Refusal): HttpResponse;
}

/** What the simulated accounts do. */
export type Habits = Pick<Life, "activity" | "places" | "hasCashFlows" | "usesMargin" | "isOneWay" | "leavesOutFrozen">;

export interface ExchangeOptions {
  accounts: readonly SimulatedAccount[];
  clock: Clock;
  /** Returns how far the exchange's clock is ahead of `clock`. Milliseconds. */
  skew(): number;
  seed: number;
  /** When the accounts start, epoch ms. */
  from: number;
  /** How far the market and the accounts are ahead of `clock`. Milliseconds. */
  shift: number;
  /** How the accounts behave. */
  habits: Habits;
  /** The number of responses that the record keeps. */
  recordLimit: number;
}

export function createExchange(options: ExchangeOptions): Exchange {
  const { accounts, clock, skew, seed, from, shift, habits, recordLimit } = options;
  const now = () => clock.now() + skew();
  const market = createMarket(seed, shift);
  const life = (name: string, plan?: Plan) => simulateAccount({ name, seed, from, market, shift, plan, ...habits });
  const accountStates = new Map(accounts.map(({ name, plan }) => [name, life(name, plan)]));
  const listFaults = new ListFaults();
  const record: ServedSnapshot[] = [];
  const bills: Bill[] = [];

  function ledgerOf({ name, mode, unifiedSince = Number.NEGATIVE_INFINITY }: SimulatedAccount): TrueEntry[] {
    const state = accountStates.get(name)?.(clock.now());
    if (!state) throw new Error(`no simulated account ${name}`);
    return state.book
      .ledger(mode)
      .all()
      .filter(([, { at }]) => at >= unifiedSince)
      .map(([wallet, row]) => trueEntry(mode, wallet, row));
  }

  function dataFor({ endpoint, account, query }: Admitted, instant: number, time: number): ServedResponse {
    if (!account) return endpoint.respond({ market, instant, now: time }, query);
    const state = accountStates.get(account.name)?.(instant);
    if (!state) throw new Error(`no simulated account ${account.name}`);
    const uid = String(1_000_000_000 + hashText(userOf(account)));
    const own = bills.filter((bill) => bill.account === account.name);
    const mayTrade = account.permissions === "trade";
    const { subAccountOf: parent = null, addresses = "", reads = allReadPermissions } = account;
    const { mode, unifiedSince: since = Number.NEGATIVE_INFINITY } = account;
    const view = {
      ...{ uid, parent, addresses, mayTrade, reads, mode, since, state, market, instant, now: time },
      ...{ bills: own, listFaults, subAccounts: [] },
    };
    const subAccounts = (account.subAccounts ?? []).map((facts) => ({
      facts,
      view: () => ({
        ...view,
        uid: facts.uid,
        parent: uid,
        mode: facts.mode,
        bills: [],
        state: subAccountState(account, facts, instant),
      }),
    }));
    return endpoint.respond({ ...view, subAccounts }, query);
  }

  function subAccountState(
    account: SimulatedAccount,
    { uid, isEmpty }: SimulatedSubAccount,
    instant: number,
  ): AccountState {
    if (isEmpty) return emptyState();
    const name = `${account.name}/${uid}`;
    const stateAt = accountStates.get(name) ?? life(name);
    accountStates.set(name, stateAt);
    return stateAt(instant);
  }

  function refuse({ status, code, message }: Refusal): HttpResponse {
    const headers = code === "429" ? { "x-mbx-used-remain-limit": "0" } : {};
    return json(status, headers, { code, msg: message, requestTime: now(), data: null });
  }

  function respond(request: Admitted, fault: Fault | null): HttpResponse {
    const { body, code, edit, headers, list, message = "simulated fault", status } = fault ?? {};
    if (body !== undefined) return { status: status ?? 200, headers: headers ?? {}, body };
    if (code !== undefined || status !== undefined) {
      const refused = refuse(new Refusal(status ?? 400, code ?? String(status), message));
      return { ...refused, headers: { ...refused.headers, ...headers } };
    }
    // Read once: a response whose time is later than its data claims to contain what happened in between.
    const instant = clock.now();
    const takenAt = instant + skew();
    const asked = list === "repeated" ? withoutCursor(request) : request;
    const served = catchRefusal(() => dataFor(asked, instant, takenAt));
    if (served instanceof Refusal) return refuse(served);
    const data = list ? editList(served.data, list) : served.data;
    const good = { code: "00000", msg: "success", requestTime: takenAt, data };
    const account = request.account?.name ?? publicAccount;
    for (const { subAccount, ...truth } of served.truths) {
      const owner = subAccount === undefined ? account : `${account}/${subAccount}`;
      const one = { ...truth, account: owner, takenAt };
      record.push(edit ? { ...one, rows: [], edited: true } : one);
    }
    if (record.length > recordLimit) record.splice(0, record.length - recordLimit);
    return json(200, { "x-mbx-used-remain-limit": String(request.left), ...headers }, edit ? edit(good) : good);
  }

  return { record, bills, listFaults, ledgerOf, now, respond, refuse };
}

const json = (status: number, headers: Record<string, string>, envelope: unknown): HttpResponse => ({
  status,
  headers: { "content-type": "application/json;charset=UTF-8", ...headers },
  body: stringify(envelope) ?? "",
});
