/** Describes the columns of a table: what each value is, not how a database stores it. */

/** text: unchanged. decimal: digits, exactly as received. millis: epoch ms UTC. flag: 0 or 1. */
export type Kind = "text" | "decimal" | "millis" | "flag";

interface Traits {
  required?: boolean;
  isVolatile?: boolean;
  isAddedLater?: boolean;
  isId?: boolean;
}

/** A column; `Cell` is the type of its values, null included unless it is required. */
export class Column<Cell = unknown> {
  readonly kind: Kind;
  readonly required: boolean;
  /** True for values that change in nearly every snapshot; they are stored separately from those that rarely change. */
  readonly isVolatile: boolean;
  /** True for a column that was added to the dataset after its first release; older rows have NULL in it. */
  readonly isAddedLater: boolean;
  /** True for ids of the exchange: texts that usually consist of digits. */
  readonly isId: boolean;
  declare readonly cell: Cell;

  constructor(kind: Kind, { required = false, isVolatile = false, isAddedLater = false, isId = false }: Traits = {}) {
    this.kind = kind;
    this.required = required;
    this.isVolatile = isVolatile;
    this.isAddedLater = isAddedLater;
    this.isId = isId;
  }

  notNull(): Column<NonNullable<Cell>> {
    return new Column<NonNullable<Cell>>(this.kind, { ...this, required: true });
  }

  volatile(): Column<Cell> {
    return new Column<Cell>(this.kind, { ...this, isVolatile: true });
  }

  /** Marks a column that was added after the first release of its dataset: never required, never part of the key. */
  addedLater(): Column<Cell | null> {
    return new Column<Cell | null>(this.kind, { ...this, required: false, isAddedLater: true });
  }
}

export const text = (): Column<string | null> => new Column("text");
export const id = (): Column<string | null> => new Column("text", { isId: true });
export const decimal = (): Column<string | null> => new Column("decimal");
export const millis = (): Column<number | null> => new Column("millis");
export const flag = (): Column<0 | 1 | null> => new Column("flag");

export type Columns = Readonly<Record<string, Column>>;

/** A row of these columns. Every column is required, so that the compiler reports one that a mapper omits. */
export type RowOf<C extends Columns> = { [Name in keyof C]: C[Name]["cell"] };

/** Converts a name to the spelling of the database: `liquidationPrice` becomes `liquidation_price`. */
export const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
