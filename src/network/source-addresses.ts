/** The internet addresses of this machine from which requests leave, where there are several. */
import { BlockList, isIP, SocketAddress } from "node:net";
import { networkInterfaces } from "node:os";
import { hashOf } from "../core/text.ts";

const familyOf = (address: string): "ipv4" | "ipv6" => (isIP(address) === 6 ? "ipv6" : "ipv4");

/** Returns an address in its usual spelling, so that two spellings are not taken for two addresses; null if it is none. */
export const usualSpelling = (address: string): string | null =>
  isIP(address) === 0 ? null : new SocketAddress({ address, family: familyOf(address) }).address;

/** Returns whether this machine has an address. Of a loopback network it has all. */
export function isOwnAddress(address: string): boolean {
  const own = new BlockList();
  for (const { internal, cidr, ...one } of Object.values(networkInterfaces()).flatMap((all) => all ?? [])) {
    const bits = internal ? cidr?.split("/")[1] : undefined;
    if (bits === undefined) own.addAddress(one.address, familyOf(one.address));
    else own.addSubnet(one.address, Number.parseInt(bits, 10), familyOf(one.address));
  }
  return own.check(address, familyOf(address));
}

/**
 * Returns the address that requests of an account leave from, always the same for its name; the first one for public requests (null).
 * Returns null if there are no addresses: the system chooses.
 */
export function sourceAddressOf(account: string | null, addresses: readonly string[]): string | null {
  const index = account === null ? 0 : hashOf(`address of ${account}`) % Math.max(addresses.length, 1);
  return addresses[index] ?? null;
}
