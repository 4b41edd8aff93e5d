/**
 * The words a table is described with. They say what a value is, not how a database keeps it; `store/tables.ts` knows
 * that for SQLite.
 */

/** text: as it is. decimal: digits, exactly as received. millis: epoch ms UTC. flag: 0 or 1. */
export type Kind = "text" | "decimal" | "millis" | "flag";

/** `Cell` is the type of a value in this column, null included unless it is required. */
export class Column<Cell = unknown> {
  readonly kind: Kind;
  readonly required: boolean;
  /** True for values that move in nearly every snapshot; they are kept apart from those that rarely do. */
  readonly moving: boolean;
  declare readonly cell: Cell;

  constructor(kind: Kind, required: boolean, moving: boolean) {
    this.kind = kind;
    this.required = required;
    this.moving = moving;
  }

  notNull(): Column<NonNullable<Cell>> {
    return new Column<NonNullable<Cell>>(this.kind, true, this.moving);
  }

  moves(): Column<Cell> {
    return new Column<Cell>(this.kind, this.required, true);
  }
}

export const text = (): Column<string | null> => new Column("text", false, false);
export const decimal = (): Column<string | null> => new Column("decimal", false, false);
export const millis = (): Column<number | null> => new Column("millis", false, false);
export const flag = (): Column<0 | 1 | null> => new Column("flag", false, false);

export type Columns = Readonly<Record<string, Column>>;

/** A row of these columns: every one of them named, so that a mapper cannot forget one. */
export type RowOf<C extends Columns> = { [Name in keyof C]: C[Name]["cell"] };

/** `liquidationPrice` -> `liquidation_price`, the spelling of the database. */
export const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
